#pragma once

#include "cli/output.h"
#include "core/trace.h"

namespace spillway {

/// What a GPU told of itself while the trace was recorded: driver and clocks, and how many kernels it saw; and
/// whether its kernels may round to TF32. What doesn't apply is left out.
[[nodiscard]] Facts device_view(const Trace& trace);

/// Prints the kernels that the device saw, those of the longest ops first, at one batch; nothing if it saw none.
void print_device_kernels(const BatchCosts& costs);

}  // namespace spillway
