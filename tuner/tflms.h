#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tuner/tflms_replay.h"

namespace spillway {

/// What TFLMS v2's auto-tuner answers.
struct TflmsChoice {
  bool gives_up = false;            ///< no sync mode passes its replay
  std::optional<TflmsKnobs> knobs;  ///< absent, unless it gives up: it turns itself off, everything is kept
};

/// TFLMS v2's auto-tuner at this capacity, step by step: (1) off, if the replay passes without swapping; (2) the first
/// sync mode that passes with threshold 1, ahead 1, groupby 0; then (3) the largest threshold, (4) the largest ahead
/// and (5) a groupby that pass. Its budget is (capacity - parameters) * 0.9; workspaces, optimizer state, time and the
/// host pool are unknown to it. Source: branch tflmsv2 of tensorflow-large-model-support.
[[nodiscard]] TflmsChoice tflms_choice(const Problem& problem, const TflmsGraph& graph, Bytes capacity);

/// The capacity from which on the replay has `peak` bytes in its budget.
[[nodiscard]] Bytes tflms_capacity_for(const Problem& problem, Bytes peak);

/// The knobs as decisions of ours. A group is one swap: gone after the use before its first reader, back from behind
/// the trigger op or, synchronous, from the reader on. Sync modes 1 and 3 make swap-outs blocking; all swap-ins are
/// triggered. Buffers that the user wants swapped are, in every gap.
[[nodiscard]] std::vector<Swap> tflms_swaps(const Problem& problem, const TflmsGraph& graph, const TflmsKnobs& knobs);

/// The most bytes live at any position under these swaps.
[[nodiscard]] Bytes tflms_peak(const Problem& problem, const TflmsGraph& graph, const TflmsKnobs& knobs);

/// What TFLMS's choice at the request's capacity becomes here: a plan, or a Shortfall where it gives up or where its
/// choice doesn't fit by exact bytes.
[[nodiscard]] std::variant<Tuned, Shortfall> tuned_by_tflms(const Problem& problem, const TflmsGraph& graph);

/// Whether TFLMS's choice at this capacity fits by exact bytes.
[[nodiscard]] bool tflms_finds(const Problem& problem, const TflmsGraph& graph, Bytes capacity);

/// For Plan::knobs.
[[nodiscard]] std::map<std::string, std::string> to_map(const TflmsKnobs& knobs);

}  // namespace spillway
