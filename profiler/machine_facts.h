#pragma once

#include <string>

#include "core/trace.h"
#include "device/device.h"

namespace spillway {

/// Resident memory of this process. Throws Error (exit 3) where the system doesn't tell.
[[nodiscard]] Bytes resident_memory();

/// "AMD EPYC 9654, 96 cores, Linux 6.1.0-18-amd64".
[[nodiscard]] std::string machine_text();

/// Where a trace taken now, on this machine and device, comes from. The date is UTC: "2024-05-31T16:04:09Z".
[[nodiscard]] Provenance provenance_now(const DeviceProperties& properties, const std::string& command);

}  // namespace spillway
