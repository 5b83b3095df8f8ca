#pragma once

#include "core/compute_stream.h"

namespace spillway {

/// Checks by values that a compute stream with recomputations computes what the step computes: a value is the op that
/// made it and the values it read; every run must read what run 0 of its op read in the plain step, and may be run
/// again at all. Throws Error (exit 2) naming the run and the operand that differs.
void check_recomputations(const Graph& graph, const IdVector<Position, OpRun>& stream, std::int64_t batch);

}  // namespace spillway
