#include "profiler/variants.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/micro_batches.h"

namespace spillway {
namespace {

Error too_large(const Device& device, const DistinctOp& op, Bytes needed, const char* of_what) {
  return machine_error(fmt::format("{}: its {} alone need {} ({} bytes), but device {} has {}; try a smaller batch",
                                   named(op), of_what, to_text(needed), needed.value, device.properties().device,
                                   to_text(device.properties().memory)));
}

std::vector<Candidate> candidates_of(Device& device, const DistinctOp& op, std::size_t most) {
  const DeviceProperties& properties = device.properties();
  const Bytes operands = place_operands(op.description, Bytes{0}, properties.alignment).end;
  if (operands > properties.memory) throw too_large(device, op, operands, "operands");
  const std::vector<KernelOption> options = device.kernels(op.description);
  if (options.empty()) {
    throw machine_error(fmt::format("{}: device {} has no kernel for {}{}", named(op), properties.device,
                                    kind_of(op.description.attributes),
                                    op.description.layout == Layout::channels_first ? " with channels first" : ""));
  }
  std::vector<Candidate> result;
  Bytes smallest = place_operands(op.description, options.front().workspace, properties.alignment).end;
  for (const KernelOption& option : options) {
    if (option.last_resort && !result.empty()) continue;
    OperandPlaces places = place_operands(op.description, option.workspace, properties.alignment);
    smallest = std::min(smallest, places.end);
    if (places.end <= properties.memory)
      result.push_back({.option = option, .places = std::move(places), .kernel = {}});
    if (result.size() == (properties.on_host ? 1 : most)) break;
  }
  if (result.empty()) throw too_large(device, op, smallest, "operands and workspace");
  return result;
}

Variant variant_in(Layout layout, Device& device, const Graph& graph, const std::vector<std::int64_t>& batches,
                   std::size_t most) {
  Variant variant{.graph = graph, .batches = batches, .distinct = {}, .candidates = {}};
  variant.graph.layout = layout;
  variant.distinct = distinct_ops(with_accumulations(variant.graph), batches);
  for (const DistinctOp& op : variant.distinct.ops) variant.candidates.push_back(candidates_of(device, op, most));
  return variant;
}

bool depends_on_layout(const Graph& graph) {
  return std::ranges::any_of(graph.ops, [](const Op& op) { return spillway::depends_on_layout(op.attributes); });
}

}  // namespace

std::string named(const DistinctOp& op) {
  return fmt::format("op '{}' at batch {}", op.name, op.batch);
}

std::vector<Variant> variants_of(Device& device, const Graph& graph, const std::vector<std::int64_t>& batches,
                                 std::optional<Layout> layout, std::size_t most) {
  std::vector<Variant> variants;
  variants.push_back(variant_in(layout.value_or(graph.layout), device, graph, batches, most));
  if (layout || !depends_on_layout(graph)) return variants;
  const Layout other = graph.layout == Layout::channels_last ? Layout::channels_first : Layout::channels_last;
  try {
    variants.push_back(variant_in(other, device, graph, batches, most));
  } catch (const Error& error) {
    // What the device can't run in its other layout is no candidate.
    if (error.code() != ExitCode::machine) throw;
  }
  return variants;
}

}  // namespace spillway
