#include "tuner/capacity.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/error.h"

namespace spillway {

Bytes parse_capacity(const std::string& text, Bytes footprint) {
  if (!text.ends_with('%')) return parse_bytes(text, "--capacity");
  double percent = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [next, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc() || next != end || !(percent > 0) || !std::isfinite(percent)) {
    throw input_error(fmt::format("--capacity: found '{}', expected a share of the footprint such as 45%", text));
  }
  return {static_cast<std::int64_t>(static_cast<double>(footprint.value) * percent / 100)};
}

Bytes default_capacity(const Platform& platform, const Trace& trace, Bytes footprint) {
  if (!platform.device.starts_with("cuda")) return footprint;
  const Bytes memory = platform.device_memory;
  const Bytes capacity = memory - Bytes{memory.value / 20} - trace.process_bytes;
  if (capacity.value <= 0) {
    throw input_error(fmt::format("'{}' has {} of device memory and the process needs {}: nothing is left",
                                  platform.name, to_text(memory), to_text(trace.process_bytes)));
  }
  return capacity;
}

}  // namespace spillway
