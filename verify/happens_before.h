#pragma once

#include <cstdint>
#include <vector>

#include "core/schedule.h"

namespace spillway {

/// Which instructions have completed when another starts, whatever the durations: the order that streams and waits
/// alone give. One vector clock per instruction, with an entry per stream: how many of the stream's instructions have
/// completed. Source: Fidge 1988 and Mattern 1989, whose processes are our streams and whose messages are our waits.
/// Requires: waits name lower ids. Cost: instructions times streams, in time and memory.
class HappensBefore {
 public:
  explicit HappensBefore(const Schedule& schedule);

  /// Whether `before` has always completed when `after` starts. False for an instruction and itself.
  [[nodiscard]] bool operator()(InstructionId before, InstructionId after) const {
    return clocks_[after.index() * streams_ + stream_[before]] > number_[before];
  }

 private:
  std::size_t streams_ = 0;
  IdVector<InstructionId, std::uint32_t> stream_;  ///< streams without instructions aren't counted
  IdVector<InstructionId, std::uint32_t> number_;  ///< its index within its stream
  std::vector<std::uint32_t> clocks_;              ///< [instruction][stream], at the instruction's start
};

}  // namespace spillway
