#include "core/io/points_text.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"
#include "core/io/json_node.h"

namespace spillway {
namespace {

constexpr const char* kDefaultCapacity = "default";

OrderedJson to_json(const SweepPoint& point) {
  SPILLWAY_CHECK(point.answer.has_value(), "a point without an answer has no text");
  const SweepQuestion& question = point.question;
  const SweepAnswer& answer = *point.answer;
  OrderedJson json{{"platform", question.platform}};
  if (question.gpus) json["gpus"] = *question.gpus;
  if (question.nodes) json["nodes"] = *question.nodes;
  if (answer.ranks > 0) json["ranks"] = answer.ranks;
  json["capacity"] = question.capacity.empty() ? kDefaultCapacity : question.capacity;
  if (answer.capacity.value > 0) json["capacity_bytes"] = answer.capacity.value;
  json["batch"] = question.batch;
  json["policy"] = question.policy;
  json["evaluations"] = question.evaluations;
  if (!question.machine_sha256.empty()) json["machine_sha256"] = question.machine_sha256;
  json["fits"] = answer.fits();
  if (answer.footprint.value > 0) json["footprint_bytes"] = answer.footprint.value;
  if (!answer.fits()) {
    json["reason"] = answer.reason;
    if (answer.smallest_capacity) json["smallest_capacity_bytes"] = answer.smallest_capacity->value;
    return json;
  }
  json["step_seconds"] = answer.step.value;
  json["samples_per_second"] = answer.samples_per_second;
  json["compute_seconds"] = answer.compute.value;
  json["stall_seconds"] = answer.stall.value;
  json["arena_bytes"] = answer.arena.value;
  json["host_bytes"] = answer.host.value;
  json["swaps"] = answer.swaps;
  json["times"] = answer.times;
  return json;
}

std::optional<std::int64_t> integer_if_there(const JsonNode& node, const std::string& key, std::int64_t least) {
  const std::optional<JsonNode> member = node.find(key);
  return member ? std::optional(member->integer(least)) : std::nullopt;
}

SweepPoint from_json(const JsonNode& node) {
  node.only({"platform",
             "gpus",
             "nodes",
             "ranks",
             "capacity",
             "capacity_bytes",
             "batch",
             "policy",
             "evaluations",
             "machine_sha256",
             "fits",
             "footprint_bytes",
             "reason",
             "smallest_capacity_bytes",
             "step_seconds",
             "samples_per_second",
             "compute_seconds",
             "stall_seconds",
             "arena_bytes",
             "host_bytes",
             "swaps",
             "times"});
  const std::string capacity = node.at("capacity").string();
  SweepPoint point{.question = {.platform = node.at("platform").string(),
                                .gpus = integer_if_there(node, "gpus", 1),
                                .nodes = integer_if_there(node, "nodes", 1),
                                .capacity = capacity == kDefaultCapacity ? "" : capacity,
                                .batch = node.at("batch").integer(1),
                                .policy = node.at("policy").string(),
                                .evaluations = node.at("evaluations").integer(1),
                                .machine_sha256 = ""}};
  if (const auto sha256 = node.find("machine_sha256")) point.question.machine_sha256 = sha256->string();
  SweepAnswer& answer = point.answer.emplace();
  answer.ranks = integer_if_there(node, "ranks", 1).value_or(0);
  answer.capacity = {integer_if_there(node, "capacity_bytes", 1).value_or(0)};
  answer.footprint = {integer_if_there(node, "footprint_bytes", 1).value_or(0)};
  if (!node.at("fits").boolean()) {
    answer.reason = node.at("reason").string();
    if (answer.reason.empty()) node.at("reason").fail("a reason");
    if (const auto bytes = integer_if_there(node, "smallest_capacity_bytes", 1)) answer.smallest_capacity = {{*bytes}};
    return point;
  }
  answer.step = {node.at("step_seconds").not_negative()};
  answer.samples_per_second = node.at("samples_per_second").not_negative();
  answer.compute = {node.at("compute_seconds").not_negative()};
  answer.stall = {node.at("stall_seconds").number()};
  answer.arena = node.at("arena_bytes").bytes();
  answer.host = node.at("host_bytes").bytes();
  answer.swaps = node.at("swaps").integer(0);
  answer.times = node.at("times").string();
  return point;
}

/// A cell of a CSV file: quoted where it must be.
std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

std::string points_json(std::span<const SweepPoint> points) {
  OrderedJson array = OrderedJson::array();
  for (const SweepPoint& point : points) array.push_back(to_json(point));
  return to_file_text(array);
}

std::string points_csv(std::span<const SweepPoint> points) {
  static constexpr const char* kColumns[] = {"platform",
                                             "gpus",
                                             "nodes",
                                             "ranks",
                                             "capacity",
                                             "capacity_bytes",
                                             "batch",
                                             "policy",
                                             "evaluations",
                                             "step_seconds",
                                             "samples_per_second",
                                             "compute_seconds",
                                             "stall_seconds",
                                             "arena_bytes",
                                             "host_bytes",
                                             "footprint_bytes",
                                             "swaps",
                                             "smallest_capacity_bytes",
                                             "times",
                                             "reason"};
  std::string text = fmt::format("{}\n", fmt::join(kColumns, ","));
  for (const SweepPoint& point : points) {
    const OrderedJson json = to_json(point);
    std::string row;
    for (const char* column : kColumns) {
      if (column != kColumns[0]) row += ',';
      const auto found = json.find(column);
      if (found != json.end()) row += cell(found->is_string() ? found->get<std::string>() : found->dump());
    }
    text += row + '\n';
  }
  return text;
}

std::string point_line(const SweepPoint& point) {
  return to_json(point).dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + '\n';
}

std::vector<SweepPoint> points_from_lines(const std::string& lines, const std::string& file, std::size_t first_line) {
  std::vector<SweepPoint> points;
  std::size_t number = first_line;
  for (std::size_t start = 0; start < lines.size(); ++number) {
    const std::size_t end = std::min(lines.find('\n', start), lines.size());
    const std::string place = fmt::format("{}: line {}", file, number);
    OrderedJson json;
    try {
      json = OrderedJson::parse(lines.begin() + static_cast<std::ptrdiff_t>(start),
                                lines.begin() + static_cast<std::ptrdiff_t>(end));
    } catch (const OrderedJson::exception&) {
      throw input_error(place + ": isn't JSON; take the line out, and its point is computed again");
    }
    points.push_back(from_json(JsonNode(place, json)));
    start = end + 1;
  }
  return points;
}

}  // namespace spillway
