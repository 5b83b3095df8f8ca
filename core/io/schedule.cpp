#include <fmt/format.h>

#include <map>

#include "core/io/files.h"
#include "core/io/parts.h"

namespace spillway {
namespace {

constexpr std::pair<StreamRole, std::string_view> kStreamRoles[] = {{StreamRole::compute, "compute"},
                                                                    {StreamRole::swap_out, "swap_out"},
                                                                    {StreamRole::swap_in, "swap_in"},
                                                                    {StreamRole::network, "network"},
                                                                    {StreamRole::host, "host"}};
constexpr std::pair<InstructionKind, std::string_view> kKinds[] = {{InstructionKind::compute, "compute"},
                                                                   {InstructionKind::swap_out, "swap_out"},
                                                                   {InstructionKind::swap_in, "swap_in"},
                                                                   {InstructionKind::all_reduce, "all_reduce"},
                                                                   {InstructionKind::host_update, "host_update"}};

template <class I>
OrderedJson ids_to_json(const std::vector<I>& ids) {
  OrderedJson json = OrderedJson::array();
  for (const I id : ids) json.push_back(id.value);
  return json;
}

/// An id below `size`; what points nowhere is refused here, what it points to is the verifier's business.
template <class I>
I id_from_json(const JsonNode& node, std::size_t size) {
  const std::int64_t index = node.integer(0);
  if (static_cast<std::size_t>(index) >= size) node.fail(fmt::format("an index below {}", size));
  return I(static_cast<std::size_t>(index));
}

template <class I>
std::vector<I> ids_from_json(const JsonNode& node, std::size_t size) {
  std::vector<I> ids;
  for (const JsonNode& item : node.items()) ids.push_back(id_from_json<I>(item, size));
  return ids;
}

OrderedJson instruction_to_json(const Instruction& instruction, const Graph& graph) {
  OrderedJson json{{"kind", spelling(instruction.kind, kKinds)},
                   {"stream", instruction.stream.value},
                   {"position", instruction.position.value}};
  if (runs_op(instruction.kind)) {
    json["op"] = run_name(graph, instruction.op, instruction.run);
    json["inputs"] = ids_to_json(instruction.inputs);
    json["outputs"] = ids_to_json(instruction.outputs);
    if (instruction.workspace.valid()) json["workspace"] = instruction.workspace.value;
  } else {
    json["buffer"] = graph.buffers[instruction.buffer].name;
    json["residency"] = instruction.residency.value;
  }
  json["waits"] = ids_to_json(instruction.waits);
  return json;
}

Instruction instruction_from_json(const JsonNode& node, const GraphNames& names, const Schedule& schedule) {
  node.only({"kind", "stream", "position", "op", "inputs", "outputs", "workspace", "buffer", "residency", "waits"});
  Instruction instruction;
  instruction.kind = enumerator(node.at("kind"), kKinds);
  instruction.stream = id_from_json<StreamId>(node.at("stream"), schedule.streams.size());
  instruction.position = Position(static_cast<std::size_t>(node.at("position").integer(0)));
  const std::size_t residencies = schedule.residencies.size();
  if (runs_op(instruction.kind)) {
    std::tie(instruction.op, instruction.run) = names.run(node.at("op"));
    instruction.inputs = ids_from_json<ResidencyId>(node.at("inputs"), residencies);
    instruction.outputs = ids_from_json<ResidencyId>(node.at("outputs"), residencies);
    if (const auto workspace = node.find("workspace")) {
      instruction.workspace = id_from_json<ResidencyId>(*workspace, residencies);
    }
  } else {
    instruction.buffer = names.buffer(node.at("buffer"));
    instruction.residency = id_from_json<ResidencyId>(node.at("residency"), residencies);
  }
  instruction.waits = ids_from_json<InstructionId>(node.at("waits"), schedule.instructions.size());
  return instruction;
}

OrderedJson kernels_to_json(const Schedule& schedule) {
  std::map<std::string, std::size_t> index;
  OrderedJson ids = OrderedJson::array(), kernel_of = OrderedJson::array();
  for (const std::string& kernel : schedule.kernels) {
    const auto [place, added] = index.emplace(kernel, ids.size());
    if (added) ids.push_back(kernel);
    kernel_of.push_back(place->second);
  }
  return {{"ids", std::move(ids)}, {"kernel_of", std::move(kernel_of)}};
}

Residency residency_from_json(const JsonNode& node, const GraphNames& names) {
  node.only({"buffer", "offset_bytes", "bytes", "first", "last", "wraps"});
  Residency residency{.buffer = {},
                      .offset = node.at("offset_bytes").bytes(),
                      .bytes = node.at("bytes").bytes(),
                      .first = Position(static_cast<std::size_t>(node.at("first").integer(0))),
                      .last = Position(static_cast<std::size_t>(node.at("last").integer(0))),
                      .wraps = node.find("wraps") && node.at("wraps").boolean()};
  if (const auto buffer = node.find("buffer")) residency.buffer = names.buffer(*buffer);
  return residency;
}

}  // namespace

std::string schedule_text(const Schedule& schedule, const Graph& graph) {
  OrderedJson json{{"format", "spillway-schedule"},
                   {"version", 1},
                   {"plan", plan_to_json(schedule.plan, graph)},
                   {"arena_bytes", schedule.arena_bytes.value},
                   {"host_bytes", schedule.host_bytes.value},
                   {"peak_live_bytes", schedule.peak_live_bytes.value},
                   {"alignment_bytes", schedule.alignment.value},
                   {"kernels", kernels_to_json(schedule)}};
  OrderedJson& streams = json["streams"] = OrderedJson::array();
  for (const Stream& stream : schedule.streams) {
    streams.push_back({{"role", spelling(stream.role, kStreamRoles)}, {"gpu", stream.gpu}});
  }
  OrderedJson& slots = json["host_slots"] = OrderedJson::array();
  for (const HostSlot& slot : schedule.host_slots) {
    slots.push_back({{"buffer", graph.buffers[slot.buffer].name},
                     {"offset_bytes", slot.offset.value},
                     {"bytes", slot.bytes.value}});
  }
  OrderedJson& start = json["start"] = OrderedJson::array();
  for (const StartState& state : schedule.start) {
    OrderedJson item{{"buffer", graph.buffers[state.buffer].name}};
    if (state.residency.valid()) item["residency"] = state.residency.value;
    item["host_valid"] = state.host_valid;
    start.push_back(std::move(item));
  }
  OrderedJson& residencies = json["residencies"] = OrderedJson::array();
  for (const Residency& residency : schedule.residencies) {
    OrderedJson item = OrderedJson::object();
    if (residency.buffer.valid()) item["buffer"] = graph.buffers[residency.buffer].name;
    item["offset_bytes"] = residency.offset.value;
    item["bytes"] = residency.bytes.value;
    item["first"] = residency.first.value;
    item["last"] = residency.last.value;
    if (residency.wraps) item["wraps"] = true;
    residencies.push_back(std::move(item));
  }
  OrderedJson& instructions = json["instructions"] = OrderedJson::array();
  for (const Instruction& instruction : schedule.instructions)
    instructions.push_back(instruction_to_json(instruction, graph));
  return to_file_text(json);
}

ScheduleFile read_schedule(const std::string& path) {
  const OrderedJson json = parse_json(read_text(path), path);
  const JsonNode root(path, json);
  expect_format(root, "spillway-schedule");
  root.only({"format", "version", "plan", "arena_bytes", "host_bytes", "peak_live_bytes", "alignment_bytes", "kernels",
             "streams", "host_slots", "start", "residencies", "instructions"});
  ScheduleFile file;
  file.trace = planned_trace(root.at("plan"));
  const Graph& graph = file.trace.graph;
  const GraphNames names(graph);
  Schedule& schedule = file.schedule;
  schedule.plan = plan_from_json(root.at("plan"), graph);
  schedule.arena_bytes = root.at("arena_bytes").bytes();
  schedule.host_bytes = root.at("host_bytes").bytes();
  schedule.peak_live_bytes = root.at("peak_live_bytes").bytes();
  schedule.alignment = root.at("alignment_bytes").bytes(1);
  const JsonNode kernels = root.at("kernels").only({"ids", "kernel_of"});
  const std::vector<std::string> ids = kernels.at("ids").strings();
  for (const JsonNode& item : kernels.at("kernel_of").items()) {
    schedule.kernels.push_back(ids[id_from_json<OpId>(item, ids.size()).index()]);
  }
  if (schedule.kernels.size() != graph.ops.size()) kernels.at("kernel_of").fail_with("expected one index per op");
  for (const JsonNode& item : root.at("streams").items()) {
    item.only({"role", "gpu"});
    schedule.streams.push_back({.role = enumerator(item.at("role"), kStreamRoles),
                                .gpu = static_cast<std::uint32_t>(item.at("gpu").integer(0))});
  }
  for (const JsonNode& item : root.at("host_slots").items()) {
    item.only({"buffer", "offset_bytes", "bytes"});
    schedule.host_slots.push_back({.buffer = names.buffer(item.at("buffer")),
                                   .offset = item.at("offset_bytes").bytes(),
                                   .bytes = item.at("bytes").bytes()});
  }
  for (const JsonNode& item : root.at("residencies").items()) {
    schedule.residencies.push_back(residency_from_json(item, names));
  }
  for (const JsonNode& item : root.at("start").items()) {
    item.only({"buffer", "residency", "host_valid"});
    StartState state{
        .buffer = names.buffer(item.at("buffer")), .residency = {}, .host_valid = item.at("host_valid").boolean()};
    if (const auto residency = item.find("residency")) {
      state.residency = id_from_json<ResidencyId>(*residency, schedule.residencies.size());
    }
    schedule.start.push_back(state);
  }
  for (const JsonNode& item : root.at("instructions").items()) {
    // Waits point to instructions before this one, so the count so far is the bound.
    schedule.instructions.push_back(instruction_from_json(item, names, schedule));
  }
  return file;
}

}  // namespace spillway
