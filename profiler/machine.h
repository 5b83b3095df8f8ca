#pragma once

#include "core/trace.h"
#include "device/device.h"
#include "profiler/workbench.h"

namespace spillway {

/// The machine that a device is part of, as one rank sees it, with the link that `copies` show.
[[nodiscard]] Platform platform_of(const DeviceProperties& properties, const CopyCurves& copies);

/// Measures the copies of this machine, and nothing else. Uses the device's arena, host pool and new streams; nobody
/// else may use it meanwhile. Throws Error (exit 3) when the device can't have them.
[[nodiscard]] Platform measure_machine(Device& device);

/// The same machine with so many ranks as were measured, all on one node, each with its share of the memory: they reach
/// each other as if through a crossbar, at the rate and with the start of a line through the curve.
[[nodiscard]] Platform with_ranks(Platform machine, const AllReduceCurve& curve);

}  // namespace spillway
