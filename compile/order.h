#pragma once

#include "compile/unplaced.h"
#include "core/trace.h"

namespace spillway {

/// The first pass: hangs every instruction on a position and cuts each buffer's life into residencies.
///
/// At a position the order is swap-ins, compute, swap-outs; ties by next use, then buffer id: one total order of all
/// instructions, which is the order of the instructions returned. A swap-out is left out when the host copy is still
/// valid. Inputs without a decision come in from position 0 on, losses leave right after their last use. Also gives
/// host slots, start states, sizes, kernels and the peak of live bytes.
///
/// Throws Error (exit 2) of one line when the plan isn't legal: a swap whose gap isn't there or whose positions aren't
/// inside it, two decisions for one gap, a recomputation that would read or leave other values, a batch that wasn't
/// profiled. Cost: O((ops + swaps) log).
[[nodiscard]] UnplacedSchedule order(const Trace& trace, const Plan& plan, Bytes alignment);

}  // namespace spillway
