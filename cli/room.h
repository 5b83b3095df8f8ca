#pragma once

#include "core/schedule.h"
#include "core/trace.h"
#include "device/device.h"

namespace spillway {

/// Throws Error (exit 3) when the device has no room for the schedule's arena: what is asked for, what is free, and the
/// smallest capacity that the plan's policy could do with. `trace` is the planned step.
void require_room(const DeviceProperties& device, const Trace& trace, const Schedule& schedule);

}  // namespace spillway
