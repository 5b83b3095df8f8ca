#include "tuner/tflms_graph.h"

#include <algorithm>
#include <limits>

namespace spillway {
namespace {

constexpr std::size_t kNoTensor = std::numeric_limits<std::size_t>::max();

/// Two or more dimensions, the batch counted as one.
bool has_two_dimensions(const Graph& graph, OpId op, BufferId buffer) {
  return std::ranges::any_of(graph.ops[op].outputs, [&](TensorId id) {
    const Tensor& tensor = graph.tensors[id];
    return tensor.buffer == buffer && tensor.extents.size() + (tensor.batched ? 1 : 0) >= 2;
  });
}

}  // namespace

TflmsGraph::TflmsGraph(const Problem& problem)
    : inputs_(problem.graph().ops.size()),
      outputs_(problem.graph().ops.size()),
      updates_(problem.graph().ops.size(), false),
      ancestors_(problem.graph().ops.size()) {
  const Graph& graph = problem.graph();
  const auto edges = dependences(graph, problem.request().batch);
  levels_ = levels(graph, edges);
  for (const OpId op : graph.ops.ids()) {
    updates_[op] = graph.ops[op].phase == Phase::update;
    if (at_level_.size() <= levels_[op]) at_level_.resize(levels_[op] + 1);
    at_level_[levels_[op]].push_back(op);
    ancestors_[op].assign(graph.ops.size(), false);
    for (const OpId before : edges[op]) {  // issue order is a topological order, so theirs are complete
      ancestors_[op][before.index()] = true;
      for (std::size_t i = 0; i < graph.ops.size(); ++i) {
        if (ancestors_[before][i]) ancestors_[op][i] = true;
      }
    }
  }
  for (const std::vector<OpId>& level : at_level_) by_level_.insert(by_level_.end(), level.begin(), level.end());
  find_tensors(problem);
}

void TflmsGraph::find_tensors(const Problem& problem) {
  const Graph& graph = problem.graph();
  const std::int64_t batch = problem.request().batch;
  IdVector<BufferId, std::size_t> current(graph.buffers.size(), kNoTensor);
  for (const OpId op : graph.ops.ids()) {
    for (const BufferId buffer : touched(graph, op)) {
      const Buffer& held = graph.buffers[buffer];
      if (is_lasting(held.role)) continue;
      const Bytes size = bytes(held, batch);
      const bool is_read = reads(graph, op, buffer, batch);
      if (is_read && current[buffer] == kNoTensor && held.role == Role::input) {
        current[buffer] = tensors_.size();
        tensors_.push_back({.buffer = buffer, .producer = {}, .bytes = size, .consumers = {}});
      }
      if (is_read && current[buffer] != kNoTensor) {
        tensors_[current[buffer]].consumers.push_back(op);
        inputs_[op].push_back(current[buffer]);
      }
      if (!writes(graph, op, buffer)) continue;
      const bool may_swap = held.role == Role::activation && graph.ops[op].phase == Phase::forward &&
                            has_two_dimensions(graph, op, buffer) && problem.asked(buffer) == Asked::nothing;
      outputs_[op].push_back(tensors_.size());
      tensors_.push_back({.buffer = buffer,
                          .producer = op,
                          .bytes = size,
                          .in_place = is_read && current[buffer] != kNoTensor,
                          .swappable = may_swap,
                          .consumers = {}});
      current[buffer] = tensors_.size() - 1;
    }
  }
}

std::optional<OpId> TflmsGraph::trigger(const TflmsTensor& tensor, OpId reader, std::int64_t ahead) const {
  constexpr std::int64_t kLevelsSearched = 10;
  const std::int64_t from = level(reader) - ahead - 1;
  for (std::int64_t at = from; at > from - kLevelsSearched && at > level(tensor.producer); --at) {
    for (const OpId op : at_level_[static_cast<std::size_t>(at)]) {
      if (!updates_[op] && reaches(op, reader)) return op;
    }
  }
  return std::nullopt;
}

std::optional<OpId> TflmsGraph::latest_other_input(const TflmsTensor& tensor, OpId reader) const {
  std::optional<OpId> latest;
  for (const std::size_t input : inputs_[reader]) {
    const OpId producer = tensors_[input].producer;
    if (!producer.valid() || producer == tensor.producer) continue;
    if (!latest || level(producer) > level(*latest)) latest = producer;
  }
  return latest;
}

}  // namespace spillway
