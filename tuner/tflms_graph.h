#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tuner/problem.h"

namespace spillway {

/// A tensor as TFLMS sees it: what one op wrote and others read. A write in place makes a new tensor in the old one's
/// memory.
struct TflmsTensor {
  BufferId buffer;
  OpId producer;  ///< invalid: an input
  Bytes bytes;
  bool in_place = false;        ///< its producer also read the buffer
  bool swappable = false;       ///< an activation of two or more dimensions, written by a forward op
  std::vector<OpId> consumers;  ///< in issue order; the op that overwrites it in place is one
};

/// The step as TFLMS v2 sees it: tensors between ops on levels. Parameters, optimizer state and state are variables:
/// they stay and aren't listed.
class TflmsGraph {
 public:
  explicit TflmsGraph(const Problem& problem);

  [[nodiscard]] const std::vector<TflmsTensor>& tensors() const { return tensors_; }
  /// The tensors that the op reads, each once / that it writes.
  [[nodiscard]] const std::vector<std::size_t>& inputs(OpId op) const { return inputs_[op]; }
  [[nodiscard]] const std::vector<std::size_t>& outputs(OpId op) const { return outputs_[op]; }

  /// Levels are layers of Kahn's topological sort over the data dependences.
  [[nodiscard]] std::int64_t level(OpId op) const { return levels_[op]; }
  [[nodiscard]] std::int64_t level_count() const { return static_cast<std::int64_t>(at_level_.size()); }
  /// All ops by level, then in issue order.
  [[nodiscard]] const std::vector<OpId>& by_level() const { return by_level_; }
  /// Updates work on variables: the replay skips them, and nothing waits for them as a trigger.
  [[nodiscard]] bool is_update(OpId op) const { return updates_[op]; }

  /// The op that a swap-in of `tensor` for `reader` is triggered by: on the first level from level(reader) - ahead - 1
  /// downwards, at most ten levels and above the producer, that has an op from which the reader can be reached.
  [[nodiscard]] std::optional<OpId> trigger(const TflmsTensor& tensor, OpId reader, std::int64_t ahead) const;

  /// The op that made the reader's latest other input, if it has one.
  [[nodiscard]] std::optional<OpId> latest_other_input(const TflmsTensor& tensor, OpId reader) const;

 private:
  [[nodiscard]] bool reaches(OpId from, OpId reader) const { return ancestors_[reader][from.index()]; }
  void find_tensors(const Problem& problem);

  std::vector<TflmsTensor> tensors_;
  IdVector<OpId, std::vector<std::size_t>> inputs_, outputs_;
  IdVector<OpId, std::uint32_t> levels_;
  std::vector<std::vector<OpId>> at_level_;
  std::vector<OpId> by_level_;
  IdVector<OpId, bool> updates_;
  IdVector<OpId, std::vector<bool>> ancestors_;
};

}  // namespace spillway
