#include "device/cpu/events.h"

#include "core/error.h"

namespace spillway {

void Event::raise(std::uint64_t value, Seconds now) {
  if (value_.load(std::memory_order_relaxed) >= value) return;
  moved_.store(now.value, std::memory_order_relaxed);  // published by the counter below
  value_.store(value, std::memory_order_release);
}

EventId Events::create() {
  events_.emplace_back();
  return EventId(events_.size() - 1);
}

Event& Events::operator[](EventId id) {
  SPILLWAY_CHECK(id.index() < events_.size(), "no such event");
  return events_[id.index()];
}

const Event& Events::operator[](EventId id) const {
  SPILLWAY_CHECK(id.index() < events_.size(), "no such event");
  return events_[id.index()];
}

void Events::raise(Event& event, std::uint64_t value, Seconds now) {
  event.raise(value, now);
  for (Bell& bell : bells_) bell.ring();
}

}  // namespace spillway
