#include <fmt/format.h>

#include "core/io/files.h"
#include "core/io/parts.h"
#include "core/micro_batches.h"

namespace spillway {
namespace {

OrderedJson curve_to_json(const std::vector<CopyPoint>& curve) {
  OrderedJson json = OrderedJson::array();
  for (const CopyPoint& point : curve) json.push_back({{"bytes", point.bytes.value}, {"seconds", point.seconds.value}});
  return json;
}

std::vector<CopyPoint> curve_from_json(const JsonNode& node) {
  std::vector<CopyPoint> curve;
  for (const JsonNode& item : node.items()) {
    item.only({"bytes", "seconds"});
    curve.push_back({.bytes = item.at("bytes").bytes(1), .seconds = {item.at("seconds").positive()}});
    if (curve.size() > 1 && curve[curve.size() - 2].bytes >= curve.back().bytes) {
      item.at("bytes").fail("a size above the one before");
    }
  }
  return curve;
}

std::vector<AllReduceCurve> all_reduces_from_json(const JsonNode& node) {
  std::vector<AllReduceCurve> curves;
  for (const JsonNode& item : node.items()) {
    item.only({"ranks", "by", "points"});
    curves.push_back({.ranks = item.at("ranks").integer(2), .points = curve_from_json(item.at("points"))});
    if (const auto by = item.find("by")) curves.back().by = by->string();
    if (curves.back().points.empty()) item.at("points").fail("at least one point");
    if (curves.size() > 1 && curves[curves.size() - 2].ranks >= curves.back().ranks)
      item.at("ranks").fail("more ranks than the curve before");
  }
  return curves;
}

std::vector<LayoutTrial> layouts_from_json(const JsonNode& node) {
  std::vector<LayoutTrial> trials;
  for (const JsonNode& item : node.items()) {
    item.only({"layout", "batch", "seconds", "workspace_bytes"});
    trials.push_back({.layout = enumerator(item.at("layout"), kLayouts),
                      .batch = item.at("batch").integer(1),
                      .seconds = {item.at("seconds").positive()},
                      .workspace = item.at("workspace_bytes").bytes()});
  }
  return trials;
}

std::vector<StepInPlace> steps_from_json(const JsonNode& node) {
  std::vector<StepInPlace> steps;
  for (const JsonNode& item : node.items()) {
    item.only({"batch", "apart_seconds", "ops_seconds", "step_seconds"});
    steps.push_back({.batch = item.at("batch").integer(1),
                     .apart = {item.at("apart_seconds").positive()},
                     .ops = {item.at("ops_seconds").positive()},
                     .step = {item.at("step_seconds").positive()}});
  }
  return steps;
}

std::uint32_t kernel_index(const JsonNode& item, std::size_t kernels) {
  const std::int64_t index = item.integer(0);
  if (static_cast<std::size_t>(index) >= kernels)
    item.fail(fmt::format("an index below {}, the number of kernels", kernels));
  return static_cast<std::uint32_t>(index);
}

OrderedJson kernel_to_json(const KernelCost& kernel) {
  OrderedJson json{{"kernel", kernel.kernel},
                   {"workspace_bytes", kernel.workspace.value},
                   {"seconds", kernel.seconds.value},
                   {"spread", kernel.spread},
                   {"seconds_while_copying", kernel.seconds_while_copying.value},
                   {"repeats", kernel.repeats}};
  if (kernel.device_seconds) json["device_seconds"] = kernel.device_seconds->value;
  if (!kernel.device_kernels.empty()) json["device_kernels"] = kernel.device_kernels;
  if (kernel.throttled) json["throttled"] = true;
  if (kernel.cache_factor != 1) json["cache_factor"] = kernel.cache_factor;
  return json;
}

KernelCost kernel_from_json(const JsonNode& item) {
  item.only({"kernel", "workspace_bytes", "seconds", "spread", "seconds_while_copying", "repeats", "device_seconds",
             "device_kernels", "throttled", "cache_factor"});
  KernelCost kernel{.kernel = item.at("kernel").string(),
                    .workspace = item.at("workspace_bytes").bytes(),
                    .seconds = {item.at("seconds").positive()},
                    .spread = item.at("spread").not_negative(),
                    .seconds_while_copying = {item.at("seconds_while_copying").positive()},
                    .repeats = item.at("repeats").integer(1)};
  if (const auto seconds = item.find("device_seconds")) kernel.device_seconds = Seconds{seconds->positive()};
  if (const auto names = item.find("device_kernels")) kernel.device_kernels = names->strings();
  if (const auto throttled = item.find("throttled")) kernel.throttled = throttled->boolean();
  if (const auto factor = item.find("cache_factor")) kernel.cache_factor = factor->positive();
  return kernel;
}

BatchCosts batch_from_json(const JsonNode& node, const Graph& graph) {
  node.only({"batch", "kernels", "kernel_of", "accumulate_of"});
  BatchCosts costs;
  costs.batch = node.at("batch").integer(1);
  for (const JsonNode& item : node.at("kernels").items()) {
    costs.kernels.push_back(kernel_from_json(item));
  }
  const JsonNode kernel_of = node.at("kernel_of");
  for (const JsonNode& item : kernel_of.items()) costs.kernel_of.push_back(kernel_index(item, costs.kernels.size()));
  if (costs.kernel_of.size() != graph.ops.size()) {
    kernel_of.fail_with(
        fmt::format("found {} indices, expected {}: one per op", costs.kernel_of.size(), graph.ops.size()));
  }
  if (const auto accumulate_of = node.find("accumulate_of")) {
    for (const JsonNode& item : accumulate_of->items())
      costs.accumulate_of.push_back(kernel_index(item, costs.kernels.size()));
    const std::size_t expected = with_accumulations(graph).ops.size() - graph.ops.size();
    if (costs.accumulate_of.size() != expected) {
      accumulate_of->fail_with(fmt::format("found {} indices, expected {}: one per op that completes gradients",
                                           costs.accumulate_of.size(), expected));
    }
  }
  return costs;
}

}  // namespace

std::string trace_text(const Trace& trace) {
  OrderedJson json{{"format", "spillway-trace"},
                   {"version", 1},
                   {"provenance", provenance_to_json(trace.provenance)},
                   {"machine", platform_to_json(trace.machine)},
                   {"issue_seconds", trace.issue.value},
                   {"process_bytes", trace.process_bytes.value},
                   {"interference_bytes_per_second", trace.interference_rate.value},
                   {"copies",
                    {{"in", curve_to_json(trace.copies.in)},
                     {"out", curve_to_json(trace.copies.out)},
                     {"in_both", curve_to_json(trace.copies.in_both)},
                     {"out_both", curve_to_json(trace.copies.out_both)}}}};
  for (const AllReduceCurve& curve : trace.all_reduces) {
    OrderedJson item{{"ranks", curve.ranks}};
    if (!curve.by.empty()) item["by"] = curve.by;
    item["points"] = curve_to_json(curve.points);
    json["all_reduces"].push_back(std::move(item));
  }
  for (const LayoutTrial& trial : trace.layouts) {
    json["layouts"].push_back({{"layout", spelling(trial.layout, kLayouts)},
                               {"batch", trial.batch},
                               {"seconds", trial.seconds.value},
                               {"workspace_bytes", trial.workspace.value}});
  }
  for (const StepInPlace& step : trace.steps) {
    json["steps_in_place"].push_back({{"batch", step.batch},
                                      {"apart_seconds", step.apart.value},
                                      {"ops_seconds", step.ops.value},
                                      {"step_seconds", step.step.value}});
  }
  OrderedJson& batches = json["batches"] = OrderedJson::array();
  for (const BatchCosts& costs : trace.batches) {
    OrderedJson kernels = OrderedJson::array();
    for (const KernelCost& kernel : costs.kernels) kernels.push_back(kernel_to_json(kernel));
    batches.push_back(
        {{"batch", costs.batch}, {"kernels", std::move(kernels)}, {"kernel_of", costs.kernel_of.items()}});
    if (!costs.accumulate_of.empty()) batches.back()["accumulate_of"] = costs.accumulate_of;
  }
  json["graph"] = graph_to_json(trace.graph);
  return to_file_text(json);
}

namespace {

Trace trace_from_json(const JsonNode& root) {
  expect_format(root, "spillway-trace");
  root.only({"format", "version", "provenance", "machine", "issue_seconds", "process_bytes",
             "interference_bytes_per_second", "copies", "all_reduces", "layouts", "steps_in_place", "batches",
             "graph"});
  Trace trace;
  trace.provenance = provenance_from_json(root.at("provenance"));
  trace.machine = platform_from_json(root.at("machine"));
  trace.issue = {root.at("issue_seconds").not_negative()};
  trace.process_bytes = root.at("process_bytes").bytes();
  trace.interference_rate = {root.at("interference_bytes_per_second").positive()};
  const JsonNode copies = root.at("copies");
  copies.only({"in", "out", "in_both", "out_both"});
  trace.copies = {.in = curve_from_json(copies.at("in")),
                  .out = curve_from_json(copies.at("out")),
                  .in_both = curve_from_json(copies.at("in_both")),
                  .out_both = curve_from_json(copies.at("out_both"))};
  if (const auto curves = root.find("all_reduces")) trace.all_reduces = all_reduces_from_json(*curves);
  if (const auto layouts = root.find("layouts")) trace.layouts = layouts_from_json(*layouts);
  if (const auto steps = root.find("steps_in_place")) trace.steps = steps_from_json(*steps);
  trace.graph = graph_from_json(root.at("graph"));
  for (const JsonNode& item : root.at("batches").items()) {
    trace.batches.push_back(batch_from_json(item, trace.graph));
    if (trace.batches.size() > 1 && trace.batches[trace.batches.size() - 2].batch >= trace.batches.back().batch) {
      item.at("batch").fail("a batch above the one before");
    }
  }
  if (trace.batches.empty()) root.at("batches").fail("at least one batch");
  return trace;
}

}  // namespace

Trace read_trace(const std::string& path) {
  const OrderedJson json = parse_json(read_text(path), path);
  return trace_from_json(JsonNode(path, json));
}

}  // namespace spillway
