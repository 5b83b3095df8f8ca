#pragma once

#include <string>

#include "core/platform.h"

namespace spillway {

/// `platform` with one figure of its file replaced.
///
/// `path` is a dotted path of the file's keys: `host_link.in.bandwidth_bytes_per_second`, `gpu_links.bricks.0.count`.
/// `value` is read by the key's unit: sizes as `32GiB`, rates as `64GB/s`, times as `10us`. A rate that may be absent
/// (`host_link.both`) may be set where it is. The figure's source then says that it was set on the command line.
/// `host_link.bandwidth_bytes_per_second` and `uplink.bandwidth_bytes_per_second` set both ways and take the cap `both`
/// away.
///
/// Throws Error (exit 2) that starts with `what`: no such path, with the keys that there are; a value that can't be
/// read; a machine that can't be.
[[nodiscard]] Platform with_setting(const Platform& platform, const std::string& path, const std::string& value,
                                    const std::string& what);

}  // namespace spillway
