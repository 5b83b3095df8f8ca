#pragma once

#include <cstdint>
#include <string>

#include "cli/output.h"
#include "core/trace.h"

namespace spillway {

/// What a GPU told of itself while the trace was recorded: driver and clocks, the layouts that were tried on it, how
/// many kernels it saw; and whether its kernels may round to TF32. What doesn't apply is left out.
[[nodiscard]] Facts device_view(const Trace& trace);

/// What the step took in one go at this batch, and against its ops apart: "35.2 ms (-1.1 %)"; "-" if not measured.
[[nodiscard]] std::string in_place_text(const Trace& trace, std::int64_t batch);

/// Prints the kernels that the device saw, those of the longest ops first, at one batch; nothing if it saw none.
void print_device_kernels(const BatchCosts& costs);

}  // namespace spillway
