#include "executor/measured_timeline.h"

#include <cstring>
#include <utility>
#include <vector>

namespace spillway {
namespace {

/// The times as they lie in memory, for ranks of one kind of machine.
std::string packed(const MeasuredStep& measured) {
  std::vector<double> times{measured.step.value};
  for (const Span& span : measured.spans) times.insert(times.end(), {span.start.value, span.end.value});
  return {reinterpret_cast<const char*>(times.data()), times.size() * sizeof(double)};
}

MeasuredStep unpacked(const std::string& text) {
  std::vector<double> times(text.size() / sizeof(double));
  std::memcpy(times.data(), text.data(), times.size() * sizeof(double));
  MeasuredStep measured{.spans = {}, .step = {times.front()}};
  for (std::size_t i = 1; i + 1 < times.size(); i += 2)
    measured.spans.push_back({.start = {times[i]}, .end = {times[i + 1]}});
  return measured;
}

}  // namespace

Timeline measured_timeline(const Trace& step, const Schedule& schedule, const MeasuredStep& measured,
                           const std::string& title, Communicator* ranks) {
  const auto timeline = [&](const MeasuredStep& one) {
    return make_timeline(step.graph, schedule, one.spans, one.step, Timeline::Origin::measured, title);
  };
  if (!ranks) return timeline(measured);
  const std::vector<std::string> all = ranks->all_gather(packed(measured));
  if (ranks->rank() != 0) return timeline(measured);
  std::vector<Timeline> timelines;
  for (const std::string& text : all) timelines.push_back(timeline(unpacked(text)));
  return side_by_side(std::move(timelines));
}

}  // namespace spillway
