#pragma once

#include "core/compute_stream.h"
#include "core/graph.h"
#include "core/io/json_node.h"
#include "core/plan.h"
#include "core/platform.h"
#include "core/trace.h"

// Pieces that several of our files contain. Private to core/io.

namespace spillway {

inline constexpr std::pair<Layout, std::string_view> kLayouts[] = {
    {Layout::channels_last, to_text(Layout::channels_last)}, {Layout::channels_first, to_text(Layout::channels_first)}};

[[nodiscard]] OrderedJson attributes_to_json(const Attributes& attributes);
[[nodiscard]] Attributes attributes_from_json(const JsonNode& node);

[[nodiscard]] OrderedJson graph_to_json(const Graph& graph);
[[nodiscard]] Graph graph_from_json(const JsonNode& node);

[[nodiscard]] OrderedJson platform_to_json(const Platform& platform);
[[nodiscard]] Platform platform_from_json(const JsonNode& node);

[[nodiscard]] OrderedJson provenance_to_json(const Provenance& from);
[[nodiscard]] Provenance provenance_from_json(const JsonNode& node);

[[nodiscard]] OrderedJson plan_to_json(const Plan& plan, const Graph& graph);
[[nodiscard]] Plan plan_from_json(const JsonNode& node, const Graph& graph);
/// The trace that a plan names, relative to the file of `node` (the plan's `trace` object); refused if it has changed.
[[nodiscard]] Trace read_named_trace(const JsonNode& node);
/// The step that a plan (its whole object) is for: the trace it names, with its all-reduces.
[[nodiscard]] Trace planned_trace(const JsonNode& plan);

/// Names of a graph's parts, back to ids; a complaint suggests a near miss.
class GraphNames {
 public:
  explicit GraphNames(const Graph& graph);
  [[nodiscard]] OpId op(const JsonNode& node) const { return OpId(index(node, ops_, "op")); }
  [[nodiscard]] BufferId buffer(const JsonNode& node) const { return BufferId(index(node, buffers_, "buffer")); }
  [[nodiscard]] TensorId tensor(const JsonNode& node) const { return TensorId(index(node, tensors_, "tensor")); }
  /// `conv3` is run 0, `conv3#2` run 1.
  [[nodiscard]] std::pair<OpId, std::uint32_t> run(const JsonNode& node) const;

 private:
  using Names = std::map<std::string, std::size_t>;
  [[nodiscard]] static std::size_t index(const JsonNode& node, const Names& names, const char* what,
                                         const std::string* text = nullptr);
  Names ops_, buffers_, tensors_;
};

[[nodiscard]] inline std::string run_name(const Graph& graph, OpId op, std::uint32_t run) {
  return run == 0 ? graph.ops[op].name : graph.ops[op].name + "#" + std::to_string(run + 1);
}

}  // namespace spillway
