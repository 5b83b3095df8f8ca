#pragma once

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
  friend bool operator==(const ResidentBytes&, const ResidentBytes&) = default;
};

/// What ran when. Predicted and measured timelines have this one type.
struct Timeline {
  enum class Origin { predicted, measured };
  Origin origin = Origin::predicted;
  std::string title;
  IdVector<StreamId, Stream> streams;
  std::vector<TimelineEvent> events;  ///< by instruction
  std::vector<ResidentBytes> resident;
  Seconds step;   ///< from the step's start to the join of all streams
  Seconds stall;  ///< time in which the compute stream waits for memory or a copy
  friend bool operator==(const Timeline&, const Timeline&) = default;
};

}  // namespace spillway
