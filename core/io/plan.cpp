#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/io/files.h"
#include "core/io/parts.h"
#include "core/micro_batches.h"
#include "core/planned_step.h"
#include "core/sha256.h"

namespace spillway {
namespace {

constexpr std::pair<SwapMode, std::string_view> kModes[] = {{SwapMode::prefetch, "prefetch"},
                                                            {SwapMode::triggered, "triggered"},
                                                            {SwapMode::blocking, "blocking"},
                                                            {SwapMode::triggered_blocking, "triggered_blocking"}};

/// Positions as people name them, both ways.
class PositionNames {
 public:
  PositionNames(const Graph& graph, const GraphNames& names, const std::vector<Recompute>& recomputes)
      : graph_(&graph), names_(&names), stream_(compute_stream(graph, recomputes)) {
    for (const Position position : stream_.ids()) positions_[{stream_[position].op, stream_[position].run}] = position;
  }
  [[nodiscard]] Position position(const JsonNode& node) const {
    const auto [op, run] = names_->run(node);
    const auto found = positions_.find({op, run});
    if (found == positions_.end()) {
      node.fail(fmt::format("a run of '{}' that is there: it runs once and is recomputed less often than that",
                            graph_->ops[op].name));
    }
    return found->second;
  }

 private:
  const Graph* graph_;
  const GraphNames* names_;
  IdVector<Position, OpRun> stream_;
  std::map<std::pair<OpId, std::uint32_t>, Position> positions_;
};

Swap swap_from_json(const JsonNode& node, const GraphNames& names, const PositionNames& positions) {
  node.only({"buffer", "after", "before", "wraps", "release", "begin", "mode", "remark"});
  Swap swap;
  const auto position = [&](const char* key) {
    const auto member = node.find(key);
    return member ? positions.position(*member) : Position{};
  };
  swap.gap = {.buffer = names.buffer(node.at("buffer")),
              .after = position("after"),
              .before = position("before"),
              .wraps = node.find("wraps") && node.at("wraps").boolean()};
  swap.release = position("release");
  swap.begin = position("begin");
  swap.mode = enumerator(node.at("mode"), kModes);
  if (const auto remark = node.find("remark")) swap.remark = remark->string();
  return swap;
}

GradientReduction reduction_from_json(const JsonNode& node, const GraphNames& names) {
  node.only({"buckets", "updates_behind"});
  GradientReduction reduction{.buckets = {}, .updates_behind = node.at("updates_behind").integer(1)};
  for (const JsonNode& bucket : node.at("buckets").items()) {
    reduction.buckets.emplace_back();
    for (const JsonNode& gradient : bucket.items()) reduction.buckets.back().push_back(names.buffer(gradient));
  }
  return reduction;
}

Prediction prediction_from_json(const JsonNode& node) {
  node.only({"step_seconds", "compute_seconds", "stall_seconds", "arena_bytes", "host_bytes", "footprint_bytes"});
  return {.step = {node.at("step_seconds").not_negative()},
          .compute = {node.at("compute_seconds").not_negative()},
          .stall = {node.at("stall_seconds").not_negative()},
          .arena = node.at("arena_bytes").bytes(),
          .host = node.at("host_bytes").bytes(),
          .footprint = node.at("footprint_bytes").bytes()};
}

}  // namespace

OrderedJson plan_to_json(const Plan& plan, const Graph& graph) {
  OrderedJson json{{"trace", {{"path", plan.trace_path}, {"sha256", plan.trace_sha256}}},
                   {"platform", platform_to_json(plan.platform)},
                   {"batch", plan.batch},
                   {"micro_batches", plan.micro_batches},
                   {"capacity_bytes", plan.capacity.value}};
  if (plan.host_capacity) json["host_capacity_bytes"] = plan.host_capacity->value;
  json["policy"] = plan.policy;
  json["knobs"] = OrderedJson::object();
  for (const auto& [key, value] : plan.knobs) json["knobs"][key] = value;
  json["constraints"] = {
      {"keep", plan.constraints.keep}, {"swap", plan.constraints.swap}, {"recompute", plan.constraints.recompute}};
  if (plan.prediction) {
    const Prediction& expected = *plan.prediction;
    json["prediction"] = {{"step_seconds", expected.step.value},   {"compute_seconds", expected.compute.value},
                          {"stall_seconds", expected.stall.value}, {"arena_bytes", expected.arena.value},
                          {"host_bytes", expected.host.value},     {"footprint_bytes", expected.footprint.value}};
  }
  if (plan.reduction) {
    OrderedJson buckets = OrderedJson::array();
    for (const std::vector<BufferId>& bucket : plan.reduction->buckets) {
      OrderedJson names = OrderedJson::array();
      for (const BufferId gradient : bucket) names.push_back(graph.buffers[gradient].name);
      buckets.push_back(std::move(names));
    }
    json["reduction"] = {{"buckets", std::move(buckets)}, {"updates_behind", plan.reduction->updates_behind}};
  }
  const IdVector<Position, OpRun> stream = compute_stream(graph, plan.recomputes);
  OrderedJson& recomputes = json["recomputes"] = OrderedJson::array();
  for (const Recompute& recompute : plan.recomputes) {
    OrderedJson kept = OrderedJson::array();
    for (const BufferId buffer : recompute.kept) kept.push_back(graph.buffers[buffer].name);
    recomputes.push_back({{"op", graph.ops[recompute.op].name},
                          {"before", run_name(graph, recompute.before, recompute.before_run)},
                          {"kept", std::move(kept)}});
  }
  OrderedJson& swaps = json["swaps"] = OrderedJson::array();
  for (const Swap& swap : plan.swaps) {
    OrderedJson item{{"buffer", graph.buffers[swap.gap.buffer].name}};
    const auto put = [&](const char* key, Position position) {
      if (position.valid()) item[key] = run_name(graph, stream[position].op, stream[position].run);
    };
    put("after", swap.gap.after);
    put("before", swap.gap.before);
    if (swap.gap.wraps) item["wraps"] = true;
    put("release", swap.release);
    put("begin", swap.begin);
    item["mode"] = spelling(swap.mode, kModes);
    if (!swap.remark.empty()) item["remark"] = swap.remark;
    swaps.push_back(std::move(item));
  }
  return json;
}

Plan plan_from_json(const JsonNode& node, const Graph& graph) {
  Plan plan;
  node.only({"format", "version", "trace", "platform", "batch", "micro_batches", "capacity_bytes",
             "host_capacity_bytes", "policy", "knobs", "constraints", "prediction", "reduction", "recomputes",
             "swaps"});
  plan.trace_path = node.at("trace").only({"path", "sha256"}).at("path").string();
  plan.trace_sha256 = node.at("trace").at("sha256").string();
  plan.platform = platform_from_json(node.at("platform"));
  plan.batch = node.at("batch").integer(1);
  plan.micro_batches = node.at("micro_batches").integer(1);
  plan.capacity = node.at("capacity_bytes").bytes(1);
  if (const auto host = node.find("host_capacity_bytes")) plan.host_capacity = host->bytes(1);
  plan.policy = node.at("policy").string();
  for (const auto& [key, value] : node.at("knobs").members()) plan.knobs[key] = value.string();
  const JsonNode constraints = node.at("constraints").only({"keep", "swap", "recompute"});
  plan.constraints = {.keep = constraints.at("keep").strings(),
                      .swap = constraints.at("swap").strings(),
                      .recompute = constraints.at("recompute").strings()};
  if (const auto prediction = node.find("prediction")) plan.prediction = prediction_from_json(*prediction);
  const GraphNames names(graph);
  const auto reduction = node.find("reduction");
  if (reduction) plan.reduction = reduction_from_json(*reduction, names);
  if (plan.platform.ranks() > 1 && !reduction)
    node.fail_with(fmt::format("expected 'reduction', since there are {} ranks; run 'spillway tune' with --gpus",
                               plan.platform.ranks()));
  if (plan.platform.ranks() == 1 && reduction) reduction->fail_with("found a reduction, but there is one rank");
  for (const JsonNode& item : node.at("recomputes").items()) {
    item.only({"op", "before", "kept"});
    const auto [before, before_run] = names.run(item.at("before"));
    Recompute recompute{.op = names.op(item.at("op")), .before = before, .before_run = before_run, .kept = {}};
    for (const JsonNode& kept : item.at("kept").items()) recompute.kept.push_back(names.buffer(kept));
    plan.recomputes.push_back(std::move(recompute));
  }
  try {
    const PositionNames positions(graph, names, plan.recomputes);
    for (const JsonNode& item : node.at("swaps").items()) plan.swaps.push_back(swap_from_json(item, names, positions));
  } catch (const Error& error) {
    if (std::string(error.what()).starts_with("recomputation of ")) node.at("recomputes").fail_with(error.what());
    throw;
  }
  return plan;
}

std::string plan_text(const Plan& plan, const Graph& graph) {
  OrderedJson json{{"format", "spillway-plan"}, {"version", 1}};
  json.update(plan_to_json(plan, graph));
  return to_file_text(json);
}

std::string relative_to(const std::string& target, const std::string& from) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::absolute(from).lexically_normal().parent_path();
  return fs::absolute(target).lexically_normal().lexically_relative(folder).string();
}

std::string trace_path_of(const std::string& from, const Plan& plan) {
  namespace fs = std::filesystem;
  const fs::path named(plan.trace_path);
  return named.is_absolute() ? named.string() : (fs::path(from).parent_path() / named).string();
}

std::string sha256_of_file(const std::string& path) {
  return sha256(read_text(path));
}

Trace read_named_trace(const JsonNode& node) {
  namespace fs = std::filesystem;
  Plan named;
  named.trace_path = node.at("path").string();
  const fs::path path = trace_path_of(node.file(), named);
  if (!fs::exists(path)) {
    node.at("path").fail("a trace there (relative to this file)", "put the trace back or run 'spillway tune' again");
  }
  if (sha256_of_file(path.string()) != node.at("sha256").string()) {
    node.at("sha256").fail_with(
        fmt::format("the trace '{}' isn't the one that this was made for: it has changed; run 'spillway tune' again",
                    path.string()));
  }
  return read_trace(path.string());
}

Trace planned_trace(const JsonNode& plan) {
  const Trace trace = read_named_trace(plan.at("trace"));
  const JsonNode micro_batches = plan.at("micro_batches");
  const std::int64_t passes = micro_batches.integer(1);
  if (passes > kMostMicroBatches) micro_batches.fail(fmt::format("at most {}", kMostMicroBatches));
  const auto reduction = plan.find("reduction");
  try {
    if (!reduction) return planned_step(trace, passes, std::nullopt);
    return planned_step(trace, passes, reduction_from_json(*reduction, GraphNames(trace.graph)));
  } catch (const Error& error) {
    if (std::string(error.what()).starts_with(plan.file())) throw;
    (reduction ? *reduction : micro_batches).fail_with(error.what());
  }
}

PlanFile read_plan(const std::string& path) {
  const OrderedJson json = parse_json(read_text(path), path);
  const JsonNode root(path, json);
  expect_format(root, "spillway-plan");
  PlanFile file;
  file.trace = planned_trace(root);
  file.plan = plan_from_json(root, file.trace.graph);
  return file;
}

}  // namespace spillway
