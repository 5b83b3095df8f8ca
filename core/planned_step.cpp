#include "core/planned_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/gradients.h"
#include "core/micro_batches.h"

namespace spillway {
namespace {

constexpr std::size_t kNone = ~std::size_t{0};

class Planner {
 public:
  Planner(const Trace& trace, const GradientReduction& reduction)
      : graph_(trace.graph),
        reduction_(reduction),
        bucket_of_(graph_.buffers.size(), kNone),
        last_write_(last_writes_before_updates(graph_)),
        moved_(graph_.buffers.size(), kNone),
        updates_(reduction.buckets.size()),
        missing_(reduction.buckets.size(), 0) {
    read_buckets();
  }

  /// Old ops in their new order; an invalid id stands for the next all-reduce of `emitted()`.
  std::vector<OpId> order() {
    std::vector<OpId> order;
    const auto flush = [&](std::size_t number) {
      std::vector<OpId>& updates = updates_[emitted_[number]];
      order.insert(order.end(), updates.begin(), updates.end());
      updates.clear();
    };
    for (const OpId op : graph_.ops.ids()) {
      if (const std::size_t bucket = waits_for(op); bucket != kNone) {
        move(op, bucket);
        continue;
      }
      order.push_back(op);
      for (const BufferId buffer : touched(graph_, op)) {
        const std::size_t bucket = bucket_of_[buffer];
        if (bucket == kNone || last_write_[buffer] != op || --missing_[bucket] > 0) continue;
        order.emplace_back();
        emitted_.push_back(bucket);
        if (const std::size_t behind = static_cast<std::size_t>(reduction_.updates_behind); emitted_.size() > behind)
          flush(emitted_.size() - 1 - behind);
      }
    }
    for (std::size_t number = 0; number < emitted_.size(); ++number) flush(number);
    return order;
  }
  /// Buckets in the order of their all-reduces.
  [[nodiscard]] const std::vector<std::size_t>& emitted() const { return emitted_; }

 private:
  void read_buckets() {
    for (std::size_t i = 0; i < reduction_.buckets.size(); ++i) {
      if (reduction_.buckets[i].empty()) throw input_error(fmt::format("bucket {} has no gradients", i));
      for (const BufferId buffer : reduction_.buckets[i]) {
        if (bucket_of_[buffer] != kNone)
          throw input_error(fmt::format("gradient '{}' is in two buckets", graph_.buffers[buffer].name));
        bucket_of_[buffer] = i;
        ++missing_[i];
      }
    }
    std::size_t expected = 0;
    for (const BufferId buffer : parameter_gradients(graph_)) {
      if (bucket_of_[buffer] == kNone)
        throw input_error(fmt::format("gradient '{}' is in no bucket", graph_.buffers[buffer].name));
      ++expected;
    }
    std::size_t found = 0;
    for (const BufferId buffer : graph_.buffers.ids()) found += bucket_of_[buffer] != kNone ? 1 : 0;
    if (found > expected) throw input_error("a bucket holds a buffer that isn't a parameter's gradient");
  }

  /// The bucket that the op must stand behind: updates behind their gradients', and what uses their results likewise.
  [[nodiscard]] std::size_t waits_for(OpId op) const {
    std::size_t latest = kNone, latest_place = 0;
    const auto consider = [&](std::size_t bucket) {
      if (bucket == kNone) return;
      const auto place = static_cast<std::size_t>(std::ranges::find(emitted_, bucket) - emitted_.begin());
      if (latest == kNone || place >= latest_place) {
        latest = bucket;
        latest_place = place;
      }
    };
    for (const BufferId buffer : touched(graph_, op)) {
      if (graph_.ops[op].phase == Phase::update) consider(bucket_of_[buffer]);
      consider(moved_[buffer]);
    }
    return latest;
  }

  void move(OpId op, std::size_t bucket) {
    updates_[bucket].push_back(op);
    for (const BufferId buffer : touched(graph_, op)) {
      if (writes(graph_, op, buffer)) moved_[buffer] = bucket;
    }
  }

  const Graph& graph_;
  const GradientReduction& reduction_;
  IdVector<BufferId, std::size_t> bucket_of_;
  IdVector<BufferId, OpId> last_write_;     ///< before the updates
  IdVector<BufferId, std::size_t> moved_;   ///< the bucket that the last writer was moved behind
  std::vector<std::vector<OpId>> updates_;  ///< by bucket, not yet back in the order
  std::vector<std::size_t> missing_;        ///< by bucket: gradients that aren't written yet
  std::vector<std::size_t> emitted_;
};

/// The step with its all-reduces in between.
Trace reduced(const Trace& trace, const GradientReduction& reduction) {
  Planner planner(trace, reduction);
  const std::vector<OpId> order = planner.order();
  Trace step = trace;
  step.graph.ops = {};
  std::size_t next = 0;
  for (const OpId old : order) {
    if (old.valid()) {
      step.graph.ops.push_back(trace.graph.ops[old]);
      continue;
    }
    const std::size_t bucket = planner.emitted()[next++];
    Op op{.name = fmt::format("all_reduce.{}", bucket),
          .attributes = AllReduce{},
          .inputs = {},
          .outputs = {},
          .phase = Phase::backward};
    for (const BufferId buffer : reduction.buckets[bucket]) op.inputs.push_back(whole_tensor(trace.graph, buffer));
    op.outputs = op.inputs;
    step.graph.ops.push_back(std::move(op));
  }
  for (std::size_t i = 0; i < trace.batches.size(); ++i) {
    const BatchCosts& traced = trace.batches[i];
    BatchCosts& costs = step.batches[i];
    const auto all_reduce = static_cast<std::uint32_t>(costs.kernels.size());
    costs.kernels.push_back({.kernel = "all_reduce", .workspace = {}, .seconds = {}, .seconds_while_copying = {}});
    costs.kernel_of = {};
    for (const OpId old : order) costs.kernel_of.push_back(old.valid() ? traced.kernel_of[old] : all_reduce);
  }
  return step;
}

/// Plans name ops and buffers, so a traced name may not be one that planning gives.
template <class Items>
void expect_unique_names(const Items& items, const char* what) {
  std::unordered_set<std::string> names;
  for (const auto& item : items) {
    if (names.insert(item.name).second) continue;
    throw input_error(fmt::format(
        "the planned step has two {}s '{}': one of the trace has the name of a micro-batch's or an all-reduce's; "
        "rename it in the trace",
        what, item.name));
  }
}

}  // namespace

Trace planned_step(const Trace& trace, std::int64_t micro_batches, const std::optional<GradientReduction>& reduction) {
  Trace step = unrolled(trace, micro_batches);
  if (reduction) step = reduced(step, *reduction);
  if (micro_batches > 1 || reduction) {
    expect_unique_names(step.graph.ops, "op");
    expect_unique_names(step.graph.buffers, "buffer");
  }
  return step;
}

}  // namespace spillway
