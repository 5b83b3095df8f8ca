#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/schedule.h"

namespace spillway {

/// What one instruction did, from its start on its stream to its completion.
struct TimelineEvent {
  InstructionId instruction;
  StreamId stream;
  std::string name;
  std::string kind;  ///< of op for computes, else of instruction: for colours and sums
  Seconds start, end;
  Bytes bytes;  ///< copies: how many
  friend bool operator==(const TimelineEvent&, const TimelineEvent&) = default;
};

/// Bytes resident in the arena from `time` on.
struct ResidentBytes {
  Seconds time;
  Bytes bytes;
  std::uint32_t gpu = 0;
  friend bool operator==(const ResidentBytes&, const ResidentBytes&) = default;
};

/// What ran when. Predicted and measured timelines have this one type.
struct Timeline {
  enum class Origin { predicted, measured };
  Origin origin = Origin::predicted;
  std::string title;
  IdVector<StreamId, Stream> streams;
  std::vector<TimelineEvent> events;    ///< by GPU, then by instruction
  std::vector<ResidentBytes> resident;  ///< by GPU, then by time
  Seconds step;   ///< from the step's start to the join of all streams; of several GPUs the longest
  Seconds stall;  ///< time in which that GPU's compute stream waits for memory or a copy
  friend bool operator==(const Timeline&, const Timeline&) = default;
};

/// One timeline of several ranks' ones, all of one schedule: rank r becomes GPU r.
/// Requires: at least one.
[[nodiscard]] Timeline side_by_side(std::vector<Timeline> ranks);

/// How many GPUs a timeline shows.
[[nodiscard]] std::uint32_t gpus_of(const Timeline& timeline);

/// The first `gpus` of them alone; step and stall stay.
[[nodiscard]] Timeline first_gpus(const Timeline& timeline, std::uint32_t gpus);

}  // namespace spillway
