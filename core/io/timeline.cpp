#include <fmt/format.h>

#include "core/io/files.h"
#include "core/io/parts.h"

namespace spillway {
namespace {

constexpr std::pair<StreamRole, std::string_view> kThreadNames[] = {{StreamRole::compute, "compute"},
                                                                    {StreamRole::swap_out, "swap_out"},
                                                                    {StreamRole::swap_in, "swap_in"},
                                                                    {StreamRole::network, "network"},
                                                                    {StreamRole::host, "host"}};
constexpr std::pair<Timeline::Origin, std::string_view> kOrigins[] = {{Timeline::Origin::predicted, "predicted"},
                                                                      {Timeline::Origin::measured, "measured"}};
constexpr double kMicroseconds = 1e6;

std::uint32_t gpu_below(const JsonNode& node, std::size_t count) {
  const std::int64_t gpu = node.integer(0);
  if (gpu >= static_cast<std::int64_t>(count)) node.fail(fmt::format("a GPU's number below {}", count));
  return static_cast<std::uint32_t>(gpu);
}

}  // namespace

// Format: Chrome's "Trace Event Format", JSON object form. Perfetto ignores the keys that it doesn't know.
std::string timeline_text(const Timeline& timeline) {
  OrderedJson json{{"format", "spillway-timeline"},
                   {"version", 1},
                   {"origin", spelling(timeline.origin, kOrigins)},
                   {"title", timeline.title},
                   {"step_seconds", timeline.step.value},
                   {"stall_seconds", timeline.stall.value},
                   {"displayTimeUnit", "ms"}};
  OrderedJson streams = OrderedJson::array(), events = OrderedJson::array();
  for (const StreamId id : timeline.streams.ids()) {
    const Stream& stream = timeline.streams[id];
    const std::string name = spelling(stream.role, kThreadNames);
    streams.push_back({{"role", name}, {"gpu", stream.gpu}});
    events.push_back(
        {{"ph", "M"}, {"name", "thread_name"}, {"pid", stream.gpu}, {"tid", id.value}, {"args", {{"name", name}}}});
    events.push_back(
        {{"ph", "M"},
         {"name", "process_name"},
         {"pid", stream.gpu},
         {"args", {{"name", fmt::format("GPU {} ({})", stream.gpu, spelling(timeline.origin, kOrigins))}}}});
  }
  for (const TimelineEvent& event : timeline.events) {
    OrderedJson args{{"instruction", event.instruction.value},
                     {"start_seconds", event.start.value},
                     {"end_seconds", event.end.value}};
    if (event.bytes.value > 0) args["bytes"] = event.bytes.value;
    events.push_back({{"ph", "X"},
                      {"name", event.name},
                      {"cat", event.kind},
                      {"pid", timeline.streams[event.stream].gpu},
                      {"tid", event.stream.value},
                      {"ts", event.start.value * kMicroseconds},
                      {"dur", (event.end - event.start).value * kMicroseconds},
                      {"args", std::move(args)}});
  }
  for (const ResidentBytes& point : timeline.resident) {
    events.push_back({{"ph", "C"},
                      {"name", "arena"},
                      {"pid", point.gpu},
                      {"ts", point.time.value * kMicroseconds},
                      {"args", {{"resident_bytes", point.bytes.value}, {"seconds", point.time.value}}}});
  }
  json["streams"] = std::move(streams);
  json["traceEvents"] = std::move(events);
  return to_file_text(json);
}

Timeline read_timeline(const std::string& path) {
  const OrderedJson json = parse_json(read_text(path), path);
  const JsonNode root(path, json);
  expect_format(root, "spillway-timeline");
  Timeline timeline;
  timeline.origin = enumerator(root.at("origin"), kOrigins);
  timeline.title = root.at("title").string();
  timeline.step = {root.at("step_seconds").not_negative()};
  timeline.stall = {root.at("stall_seconds").not_negative()};
  for (const JsonNode& item : root.at("streams").items()) {
    timeline.streams.push_back({.role = enumerator(item.at("role"), kThreadNames),
                                .gpu = gpu_below(item.at("gpu"), root.at("streams").items().size())});
  }
  for (const JsonNode& item : root.at("traceEvents").items()) {
    const std::string phase = item.at("ph").string();
    if (phase == "C") {
      const JsonNode args = item.at("args");
      timeline.resident.push_back({.time = {args.at("seconds").number()},
                                   .bytes = args.at("resident_bytes").bytes(),
                                   .gpu = gpu_below(item.at("pid"), gpus_of(timeline))});
    }
    if (phase != "X") continue;
    const JsonNode args = item.at("args");
    const std::int64_t stream = item.at("tid").integer(0);
    if (static_cast<std::size_t>(stream) >= timeline.streams.size()) item.at("tid").fail("the index of a stream");
    TimelineEvent event{.instruction = InstructionId(static_cast<std::size_t>(args.at("instruction").integer(0))),
                        .stream = StreamId(static_cast<std::size_t>(stream)),
                        .name = item.at("name").string(),
                        .kind = item.at("cat").string(),
                        .start = {args.at("start_seconds").number()},
                        .end = {args.at("end_seconds").number()},
                        .bytes = {}};
    if (const auto size = args.find("bytes")) event.bytes = size->bytes();
    timeline.events.push_back(std::move(event));
  }
  return timeline;
}

std::string kind_of_file(const std::string& path) {
  const OrderedJson json = parse_json(read_text(path), path);
  const std::string format = format_of(json);
  for (const char* kind : {"trace", "plan", "schedule", "platform", "timeline"}) {
    if (format == fmt::format("spillway-{}", kind)) return kind;
  }
  JsonNode(path, json).fail_with("found no \"format\" of ours, expected a trace, plan, schedule, platform or timeline");
}

}  // namespace spillway
