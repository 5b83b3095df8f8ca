#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/clock_reading.h"
#include "core/graph.h"
#include "core/platform.h"

namespace spillway {

/// What one kernel costs, timed alone with only its own operands resident and cold.
struct KernelCost {
  std::string kernel;  ///< kernel id: algorithm, library version, instruction set, thread count
  Bytes workspace;
  Seconds seconds;                ///< median
  double spread = 0;              ///< interquartile range over the median
  Seconds seconds_while_copying;  ///< median while copies ran both ways at Trace::interference_rate
  std::int64_t repeats = 0;
  std::optional<Seconds> device_seconds = {};    ///< of its kernels by the device's own clock, in traced runs apart
  std::vector<std::string> device_kernels = {};  ///< the kernels that the device saw in one run, in order
  bool throttled = false;                        ///< power or heat held the clocks down, after a long load too
  /// What ops of this kind took in a step in one go over what they took alone: caches hold what the op before left.
  double cache_factor = 1;
  /// What it takes in a step, expected.
  [[nodiscard]] Seconds in_step() const { return seconds * cache_factor; }
  friend bool operator==(const KernelCost&, const KernelCost&) = default;
};

/// Ops of the same kind and shape share one cost.
struct BatchCosts {
  std::int64_t batch = 0;
  std::vector<KernelCost> kernels;
  IdVector<OpId, std::uint32_t> kernel_of;  ///< index into `kernels`
  /// Index into `kernels` of each accumulation of with_accumulations(); empty: not measured, one micro-batch only.
  std::vector<std::uint32_t> accumulate_of = {};
  friend bool operator==(const BatchCosts&, const BatchCosts&) = default;
};

struct CopyPoint {
  Bytes bytes;
  Seconds seconds;
  friend bool operator==(const CopyPoint&, const CopyPoint&) = default;
};

/// Seconds of one copy by size, ascending; `*_both`: while the other direction is busy too.
struct CopyCurves {
  std::vector<CopyPoint> in, out, in_both, out_both;
  friend bool operator==(const CopyCurves&, const CopyCurves&) = default;
};

/// Seconds of one all-reduce by bytes, ascending, among so many ranks of one machine.
struct AllReduceCurve {
  std::int64_t ranks = 2;
  std::vector<CopyPoint> points;
  std::string by = {};  ///< what added up on GPUs: "NCCL 2.28.9, algorithm Ring, protocol Simple"; empty: host memory
  friend bool operator==(const AllReduceCurve&, const AllReduceCurve&) = default;
};

/// What the ops that depend on the layout of activations took in one: each by its fastest kernel, in a few runs.
struct LayoutTrial {
  Layout layout = Layout::channels_last;
  std::int64_t batch = 1;
  Seconds seconds;  ///< all of these ops together, one after the other
  Bytes workspace;  ///< of the one that needs most
  friend bool operator==(const LayoutTrial&, const LayoutTrial&) = default;
};

/// A step's ops one after the other, as in training but for copies, against the same ops apart.
struct StepInPlace {
  std::int64_t batch = 1;
  Seconds apart;  ///< sum of KernelCost::seconds
  Seconds ops;    ///< sum of the ops' own times within the step
  Seconds step;   ///< from the first op's start to the last one's end, no op timed
  friend bool operator==(const StepInPlace&, const StepInPlace&) = default;
};

/// Where a trace comes from.
struct Provenance {
  std::string command, date, machine, device, library, instruction_set;
  std::int64_t threads = 1;
  std::string driver = {};                  ///< of a GPU, "580.65.06 (CUDA 13.0)"; empty: none or unknown
  std::string tracer = {};                  ///< what saw the device's kernels, "CUPTI 13.0.1"; empty: nothing did
  std::optional<ClockReading> clocks = {};  ///< of a GPU while the longest op ran
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

/// A model's step and what each op of it costs on one machine.
struct Trace {
  Graph graph;
  std::vector<BatchCosts> batches;  ///< ascending batch
  CopyCurves copies;
  std::vector<AllReduceCurve> all_reduces = {};  ///< ascending ranks
  std::vector<LayoutTrial> layouts = {};         ///< what the graph's layout was chosen by; empty: there was no choice
  std::vector<StepInPlace> steps = {};           ///< by batch; empty: not measured
  BytesPerSecond interference_rate;  ///< bytes both ways together per second while `seconds_while_copying` was measured
  Seconds issue;                     ///< what one more instruction on the compute stream costs beside its kernel
  Bytes process_bytes;               ///< what the process needs outside arena and host pool
  Platform machine;
  Provenance provenance;
  friend bool operator==(const Trace&, const Trace&) = default;
};

/// The costs measured at this batch. Throws Error (exit 2) naming the profiled batches when there are none.
[[nodiscard]] const BatchCosts& costs_at(const Trace& trace, std::int64_t batch);
[[nodiscard]] inline const KernelCost& cost(const BatchCosts& costs, OpId op) {
  return costs.kernels[costs.kernel_of[op]];
}

}  // namespace spillway
