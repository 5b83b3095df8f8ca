#include "tuner/tflms_replay.h"

#include <algorithm>
#include <map>
#include <utility>

namespace spillway {
namespace {

/// One copy of a tensor in device memory: the one its producer made, or one that a swap-in brought.
struct Copy {
  bool in_memory = false;
  std::int64_t count = 0;      ///< readers still to come; at 0 it is freed
  std::int64_t readers = 0;    ///< what the count starts at
  bool handed_over = false;    ///< the op that reads it last writes in place: its bytes live on as the result's
  OpId extra_count_ends_with;  ///< the near reader after which an asynchronous swap-out counts as through
};

class Replayer {
 public:
  Replayer(const TflmsGraph& graph, const std::optional<TflmsKnobs>& knobs, Bytes budget)
      : graph_(graph), budget_(budget), copies_(graph.tensors().size()) {
    for (std::size_t i = 0; i < graph.tensors().size(); ++i) add_tensor(i, knobs);
  }

  TflmsReplay run() {
    for (const OpId op : graph_.by_level()) {
      if (graph_.is_update(op)) continue;
      run(op);
    }
    return result_;
  }

 private:
  void add_tensor(std::size_t index, const std::optional<TflmsKnobs>& knobs) {
    const TflmsTensor& tensor = graph_.tensors()[index];
    std::vector<Copy>& copies = copies_[index];
    Copy& made = copies.emplace_back();
    if (!knobs) {
      made.readers = static_cast<std::int64_t>(tensor.consumers.size());
      return;
    }
    const TflmsSwaps swaps = split_consumers(graph_, tensor, *knobs);
    made.readers = static_cast<std::int64_t>(swaps.near.size());
    if (!swaps.groups.empty() && !swaps.near.empty() && !knobs->swaps_out_synchronously()) {
      ++made.readers;
      made.extra_count_ends_with =
          *std::ranges::max_element(swaps.near, {}, [&](OpId op) { return std::pair(graph_.level(op), op); });
    }
    for (const TflmsGroup& group : swaps.groups) {
      const std::size_t copy = copies.size();
      copies.emplace_back().readers = static_cast<std::int64_t>(group.readers.size());
      for (const OpId reader : group.readers) copy_for_[{index, reader}] = copy;
      if (const auto trigger = replayed_trigger(tensor, group, *knobs)) triggered_[*trigger].push_back({index, copy});
    }
  }

  /// The replay's own idea of a trigger where the search finds none.
  [[nodiscard]] std::optional<OpId> replayed_trigger(const TflmsTensor& tensor, const TflmsGroup& group,
                                                     const TflmsKnobs& knobs) const {
    if (knobs.swaps_in_synchronously()) return std::nullopt;
    if (group.trigger) return group.trigger;
    if (const auto other = graph_.latest_other_input(tensor, group.readers.front())) return other;
    return graph_.trigger(tensor, group.readers.front(), 1);
  }

  void run(OpId op) {
    std::vector<Copy*> read;
    for (const std::size_t input : graph_.inputs(op)) {
      const auto found = copy_for_.find({input, op});
      Copy& copy = copies_[input][found == copy_for_.end() ? 0 : found->second];
      if (!copy.in_memory) allocate(op, copy, graph_.tensors()[input].bytes);
      read.push_back(&copy);
    }
    for (const std::size_t output : graph_.outputs(op)) {
      const TflmsTensor& tensor = graph_.tensors()[output];
      if (tensor.consumers.empty()) continue;
      Copy& made = copies_[output].front();
      if (!tensor.in_place) {
        allocate(op, made, tensor.bytes);
        continue;
      }
      made.in_memory = true;
      made.count = made.readers;
      for (std::size_t i = 0; i < read.size(); ++i) {
        if (graph_.tensors()[graph_.inputs(op)[i]].buffer == tensor.buffer) read[i]->handed_over = true;
      }
    }
    for (std::size_t i = 0; i < read.size(); ++i) {
      Copy& copy = *read[i];
      copy.count -= copy.extra_count_ends_with == op ? 2 : 1;
      if (copy.count <= 0) release(copy, graph_.tensors()[graph_.inputs(op)[i]].bytes);
    }
    // A tensor whose readers are all far leaves as soon as it is made.
    for (const std::size_t output : graph_.outputs(op)) {
      Copy& made = copies_[output].front();
      if (made.in_memory && made.count <= 0) release(made, graph_.tensors()[output].bytes);
    }
    if (const auto found = triggered_.find(op); found != triggered_.end()) {
      for (const auto& [tensor, copy] : found->second) {
        if (!copies_[tensor][copy].in_memory) allocate(op, copies_[tensor][copy], graph_.tensors()[tensor].bytes);
      }
    }
  }

  void allocate(OpId op, Copy& copy, Bytes size) {
    if (size >= budget_ - used_) result_.passes = false;
    used_ += size;
    copy.in_memory = true;
    copy.count = copy.readers;
    if (used_ <= result_.peak) return;
    result_.peak = used_;
    result_.peak_at = op;
  }

  void release(Copy& copy, Bytes size) {
    if (!copy.in_memory) return;
    if (!copy.handed_over) used_ -= size;
    copy.in_memory = false;
  }

  const TflmsGraph& graph_;
  Bytes budget_;
  std::vector<std::vector<Copy>> copies_;                         // by tensor; the first is the producer's
  std::map<std::pair<std::size_t, OpId>, std::size_t> copy_for_;  // of far readers
  std::map<OpId, std::vector<std::pair<std::size_t, std::size_t>>> triggered_;  // tensors and copies
  Bytes used_;
  TflmsReplay result_{.passes = true, .peak = {}, .peak_at = {}};
};

}  // namespace

TflmsSwaps split_consumers(const TflmsGraph& graph, const TflmsTensor& tensor, const TflmsKnobs& knobs) {
  TflmsSwaps swaps;
  std::vector<OpId> far;
  for (const OpId op : tensor.consumers) {
    const bool is_far = tensor.swappable && graph.level(op) - graph.level(tensor.producer) > knobs.swapout_threshold;
    (is_far ? far : swaps.near).push_back(op);
  }
  std::ranges::stable_sort(far, {}, [&](OpId op) { return graph.level(op); });
  for (const OpId op : far) {
    const bool joins = !swaps.groups.empty() &&
                       graph.level(op) - graph.level(swaps.groups.back().readers.back()) <= knobs.swapin_groupby;
    if (!joins) swaps.groups.emplace_back();
    swaps.groups.back().readers.push_back(op);
  }
  for (TflmsGroup& group : swaps.groups) {
    if (!knobs.swaps_in_synchronously())
      group.trigger = graph.trigger(tensor, group.readers.front(), knobs.swapin_ahead);
  }
  return swaps;
}

TflmsReplay replay(const TflmsGraph& graph, const std::optional<TflmsKnobs>& knobs, Bytes budget) {
  return Replayer(graph, knobs, budget).run();
}

}  // namespace spillway
