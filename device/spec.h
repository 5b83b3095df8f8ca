#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/units.h"
#include "device/device.h"

namespace spillway {

/// What `--device` takes, read: `cpu[:link=0.85GB/s,in=,out=,both=,start=,threads=]` or
/// `cuda[:N][,tf32]`, also `cuda:tf32`.
struct DeviceSpec {
  std::string backend = "cpu";
  std::optional<BytesPerSecond> in, out, both;
  std::optional<Seconds> start;
  std::optional<int> threads;
  std::optional<int> gpu;  ///< backend cuda: which one, from 0; none: any, one for each rank
  bool tf32 = false;       ///< backend cuda: tensor cores may be used, with inputs rounded to TF32
};
/// Throws Error (exit 2) naming the part that can't be read.
[[nodiscard]] DeviceSpec parse_device(const std::string& text);
/// Whether a device string, as traces and plans have it, says tf32. False for what isn't one: files may be edited.
[[nodiscard]] bool says_tf32(const std::string& text);
/// The shortest text that reads back as `spec`.
[[nodiscard]] std::string to_text(const DeviceSpec& spec);

/// The same for the rank of this number on its node, which has `gpus`: one that may have any GPU takes the next in
/// turn.
[[nodiscard]] DeviceSpec for_rank(DeviceSpec spec, int rank_on_node, int gpus);

/// Makes the device that the text names. Throws Error (exit 2 or 3).
[[nodiscard]] std::unique_ptr<Device> make_device(const DeviceSpec& spec);

}  // namespace spillway
