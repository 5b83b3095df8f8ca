#include "core/micro_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/gradients.h"

namespace spillway {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

/// By traced tensor: the one that an op of some pass uses instead.
using Stand = IdVector<TensorId, TensorId>;

/// Appends a buffer like `buffer`, with the traced tensors that lie in it.
BufferId append_like(Graph& graph, BufferId buffer, const std::string& suffix, Stand& stand) {
  Buffer like = graph.buffers[buffer];
  like.name += suffix;
  const BufferId added = graph.buffers.push_back(std::move(like));
  for (const TensorId id : stand.ids()) {
    if (graph.tensors[id].buffer != buffer) continue;
    Tensor tensor = graph.tensors[id];
    tensor.name += suffix;
    tensor.buffer = added;
    stand[id] = graph.tensors.push_back(std::move(tensor));
  }
  return added;
}

/// A traced graph with the parts of its gradients.
struct Accumulating {
  explicit Accumulating(const Graph& traced) : graph(traced), number_behind(traced.ops.size(), kNone) {
    for (const TensorId id : traced.tensors.ids()) part.push_back(id);
    const IdVector<BufferId, OpId> completed = last_writes_before_updates(traced);
    OpId behind;
    for (const BufferId gradient : parameter_gradients(traced)) {  // ascending by the op that completes them
      append_like(graph, gradient, ".part", part);
      if (completed[gradient] != behind) begin_op(behind = completed[gradient]);
      Op& op = ops.back();
      const TensorId sum = whole_tensor(traced, gradient);
      op.inputs.insert(op.inputs.end(), {sum, part[sum]});
      op.outputs.push_back(sum);
      op.flops_fixed += static_cast<double>(elements(traced.tensors[sum], 1));
    }
  }

  Graph graph;                                ///< with the parts' buffers and tensors
  Stand part;                                 ///< of gradients; others stand for themselves
  std::vector<Op> ops;                        ///< that add the parts up, scale 1
  IdVector<OpId, std::size_t> number_behind;  ///< by traced op: the one of `ops` behind it, or kNone

 private:
  void begin_op(OpId behind) {
    number_behind[behind] = ops.size();
    ops.push_back({.name = graph.ops[behind].name + ".accumulate",
                   .attributes = Accumulate{},
                   .inputs = {},
                   .outputs = {},
                   .phase = Phase::backward});
  }
};

/// Whether every pass has this buffer for itself.
bool is_of_one_pass(const Buffer& buffer) {
  return buffer.role == Role::input || buffer.role == Role::loss ||
         (buffer.role == Role::state && buffer.name == kFirstSample);
}

class Unroller {
 public:
  Unroller(const Trace& traced, std::int64_t passes)
      : traced_(traced), passes_(passes), accumulating_(traced.graph), step_(traced) {
    for (const BatchCosts& costs : traced.batches) {
      if (costs.accumulate_of.size() == accumulating_.ops.size()) continue;
      throw input_error(fmt::format(
          "the trace of '{}' doesn't say what adding up the gradients of micro-batches costs: record it again with "
          "'spillway profile'",
          traced.graph.name));
    }
    step_.graph = accumulating_.graph;
    step_.graph.ops = {};
    for (BatchCosts& costs : step_.batches) {
      costs.kernel_of = {};
      costs.accumulate_of = {};
    }
  }

  Trace run() {
    for (std::int64_t pass = 0; pass < passes_; ++pass) append_pass(pass);
    return std::move(step_);
  }

 private:
  void append_pass(std::int64_t pass) {
    const std::string suffix = pass == 0 ? "" : fmt::format("@{}", pass + 1);
    const Stand stand = stand_of(pass, suffix);
    bool has_begun = false;  // the step's number advances in front of everything, other updates come last
    for (const OpId id : traced_.graph.ops.ids()) {
      Op op = traced_.graph.ops[id];
      const bool updates = op.phase == Phase::update;
      has_begun = has_begun || !updates;
      if (updates && pass != (has_begun ? passes_ - 1 : 0)) continue;
      if (!updates) {
        op.name += suffix;
        for (std::vector<TensorId>* operands : {&op.inputs, &op.outputs}) {
          for (TensorId& operand : *operands) operand = stand[operand];
        }
      }
      append(std::move(op), [&](std::size_t batch) { return traced_.batches[batch].kernel_of[id]; });
      if (const std::size_t number = accumulating_.number_behind[id]; number != kNone && pass > 0)
        append_accumulation(number, pass, suffix);
    }
  }

  Stand stand_of(std::int64_t pass, const std::string& suffix) {
    Stand stand;
    for (const TensorId id : traced_.graph.tensors.ids()) stand.push_back(pass == 0 ? id : accumulating_.part[id]);
    for (const BufferId id : traced_.graph.buffers.ids()) {
      if (pass == 0 || !is_of_one_pass(traced_.graph.buffers[id])) continue;
      Buffer& copy = step_.graph.buffers[append_like(step_.graph, id, suffix, stand)];
      copy.copy_of = id;
      copy.micro_batch = pass;
    }
    return stand;
  }

  void append_accumulation(std::size_t number, std::int64_t pass, const std::string& suffix) {
    const bool is_last = pass == passes_ - 1;
    Op op = accumulating_.ops[number];
    op.name += suffix;
    if (is_last) op.attributes = Accumulate{.scale = 1 / static_cast<double>(passes_)};
    append(std::move(op), [&](std::size_t batch) {
      const std::uint32_t kernel = traced_.batches[batch].accumulate_of[number];
      if (!is_last) return kernel;
      // Ops of one cost have one description, and the last addition's scale is another.
      std::vector<KernelCost>& kernels = step_.batches[batch].kernels;
      kernels.push_back(kernels[kernel]);
      return static_cast<std::uint32_t>(kernels.size() - 1);
    });
  }

  template <class KernelOf>
  void append(Op op, KernelOf kernel_of) {
    step_.graph.ops.push_back(std::move(op));
    for (std::size_t i = 0; i < step_.batches.size(); ++i) {
      const std::uint32_t kernel = kernel_of(i);
      step_.batches[i].kernel_of.push_back(kernel);
    }
  }

  const Trace& traced_;
  std::int64_t passes_;
  Accumulating accumulating_;
  Trace step_;
};

}  // namespace

Graph with_accumulations(const Graph& graph) {
  Accumulating accumulating(graph);
  for (Op& op : accumulating.ops) accumulating.graph.ops.push_back(std::move(op));
  return std::move(accumulating.graph);
}

void add_kernel(BatchCosts& costs, std::size_t traced, std::uint32_t kernel) {
  if (costs.kernel_of.size() < traced) {
    costs.kernel_of.push_back(kernel);
  } else {
    costs.accumulate_of.push_back(kernel);
  }
}

Trace unrolled(const Trace& trace, std::int64_t micro_batches) {
  SPILLWAY_CHECK(micro_batches >= 1, "a step has at least one micro-batch");
  return micro_batches == 1 ? trace : Unroller(trace, micro_batches).run();
}

}  // namespace spillway
