#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "device/device.h"

namespace spillway {

/// How much later a stream gets to its commands than it would by itself.
struct Delays {
  std::uint64_t seed = 0;
  /// Before each command of any stream, waits and records too: uniform in [0, longest), a function of the seed and of
  /// how many commands were enqueued before.
  Seconds longest;

  /// Before each op and copy on streams of one role, beside the random part.
  struct Fixed {
    Seconds each;
    Seconds per_gigabyte;  ///< a copy's bytes; an op's operands together
  };
  std::array<Fixed, 5> fixed{};  ///< by role
  [[nodiscard]] Fixed& of(StreamRole role) { return fixed[static_cast<std::size_t>(role)]; }
  [[nodiscard]] const Fixed& of(StreamRole role) const { return fixed[static_cast<std::size_t>(role)]; }
};

/// `device`, with its streams held up as `delays` says. Streams are made for twice as many commands, since each is
/// preceded by a host function that sleeps. `device` must outlive the result.
[[nodiscard]] std::unique_ptr<Device> delayed(Device& device, const Delays& delays);

}  // namespace spillway
