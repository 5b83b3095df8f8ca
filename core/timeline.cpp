#include "core/timeline.h"

#include <algorithm>
#include <utility>

namespace spillway {

Timeline side_by_side(std::vector<Timeline> ranks) {
  Timeline all = std::move(ranks.front());
  for (std::size_t rank = 1; rank < ranks.size(); ++rank) {
    Timeline& one = ranks[rank];
    const auto gpu = static_cast<std::uint32_t>(rank);
    const std::size_t streams = all.streams.size();
    for (const Stream& stream : one.streams) all.streams.push_back({.role = stream.role, .gpu = gpu});
    for (TimelineEvent& event : one.events) {
      event.stream = StreamId(streams + event.stream.index());
      all.events.push_back(std::move(event));
    }
    for (ResidentBytes point : one.resident) {
      point.gpu = gpu;
      all.resident.push_back(point);
    }
    if (one.step > all.step) {
      all.step = one.step;
      all.stall = one.stall;
    }
  }
  return all;
}

std::uint32_t gpus_of(const Timeline& timeline) {
  std::uint32_t gpus = 0;
  for (const Stream& stream : timeline.streams) gpus = std::max(gpus, stream.gpu + 1);
  return gpus;
}

Timeline first_gpus(const Timeline& timeline, std::uint32_t gpus) {
  Timeline some = timeline;
  some.streams = {};
  IdVector<StreamId, StreamId> there(timeline.streams.size());
  for (const StreamId id : timeline.streams.ids()) {
    if (timeline.streams[id].gpu < gpus) there[id] = some.streams.push_back(timeline.streams[id]);
  }
  std::erase_if(some.resident, [&](const ResidentBytes& point) { return point.gpu >= gpus; });
  std::erase_if(some.events, [&](const TimelineEvent& event) { return !there[event.stream].valid(); });
  for (TimelineEvent& event : some.events) event.stream = there[event.stream];
  return some;
}

}  // namespace spillway
