#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/trace.h"
#include "device/device.h"
#include "profiler/op_timer.h"

namespace spillway {

/// How far a profile is; told before each op is timed.
struct ProfileProgress {
  bool trial = false;     ///< of its kernels against each other, which comes first
  std::size_t op = 0;     ///< counts distinct ops from 0
  std::size_t count = 0;  ///< of all batches together, or of all that are tried
  std::string name;       ///< of an op that has this description
  std::int64_t batch = 0;
  Seconds elapsed;
};

struct ProfileRequest {
  Graph graph;
  std::vector<std::int64_t> batches;  ///< at least one, each above zero; order and doubles don't matter
  std::string command;                ///< for the trace's provenance
  std::optional<Layout> layout = {};  ///< empty: the faster one of those that the device has kernels for
  std::size_t candidates = 4;  ///< kernels of an op that are tried out on a GPU; each one more costs every op some runs
  std::optional<RepeatRule> repeats = {};                     ///< empty: repeat_rule() of the device
  std::function<void(const ProfileProgress&)> progress = {};  ///< may be empty
  std::function<void(const std::string&)> warn = {};          ///< may be empty; takes one line
};

/// Measures what `core/trace.h` holds. Every distinct op runs by itself, with only its own operands in the arena, so
/// the graph may be larger than the device's memory. First short trials choose each op's kernel and the layout of the
/// whole network, where there is a choice (variants.h, trials.h). A device without a link rate is measured with copies
/// as fast as they go, one with a rate at that rate. Then the step's ops run one after the other, and what each kind
/// takes so becomes its cache factor. Where the device can see its own kernels, each op runs a few times
/// more, watched, when all have been timed.
///
/// Warns when the device's clock and its events differ, and when it lost sight of kernels.
///
/// Uses the device's arena, host pool and new streams; nobody else may use it meanwhile.
/// Throws Error: exit 2 when there is no batch or one below 1; exit 3 when an op has no kernel or doesn't fit, naming
/// op and bytes.
[[nodiscard]] Trace profile(Device& device, const ProfileRequest& request);

}  // namespace spillway
