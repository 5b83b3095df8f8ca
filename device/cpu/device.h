#pragma once

#include <memory>

#include "device/spec.h"

namespace spillway {

/// The device that this machine always has: kernels of oneDNN, an arena in its own memory, streams that are threads,
/// copies at the pace of the link in `spec`.
///
/// Threads: one runs the compute streams' ops, one copies for all swap streams, one serves streams of other roles. Ops
/// and cache flushes go to compute and other streams only, copies to swap streams only. A host function on a swap
/// stream holds that stream only. After a failure on a stream every wait() throws it, commands of that stream but waits
/// and records are skipped. `properties().host_link` has rate 0 where `spec` has none: copies then go as fast as
/// memcpy.
///
/// Throws Error (exit 3) when the machine can't copy at the rates asked for, both directions together.
[[nodiscard]] std::unique_ptr<Device> make_cpu_device(const DeviceSpec& spec);

}  // namespace spillway
