#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "device/cpu/events.h"
#include "device/cpu/kernel.h"

namespace spillway {

/// Which way a copy goes over the host link: in is host pool -> arena.
enum class Direction : std::uint8_t { in, out };

/// A kernel with what is needed to check and announce its operands.
struct PreparedKernel {
  std::unique_ptr<CpuKernel> kernel;
  std::vector<Bytes> inputs, outputs;  ///< size of each operand
  Bytes workspace;
};

// What a stream's queue holds: everything resolved to addresses, nothing owned.

struct RunOp {
  static constexpr std::size_t kMostOperands = 12;
  PreparedKernel* kernel = nullptr;
  std::array<std::byte*, kMostOperands> operands{};  ///< inputs, then outputs
  std::byte* workspace = nullptr;
};
struct Copy {
  Direction direction = Direction::in;
  std::byte* to = nullptr;
  const std::byte* from = nullptr;
  std::size_t size = 0;
  Seconds enqueued;
};
struct RaiseEvent {
  Event* event = nullptr;
  std::uint64_t value = 0;
};
struct WaitForEvent {
  const Event* event = nullptr;
  std::uint64_t value = 0;
};
struct CallFunction {
  void (*function)(void*) = nullptr;
  void* argument = nullptr;
};
struct FlushCaches {
  std::byte* bytes = nullptr;
  std::size_t size = 0;
};

using Command = std::variant<RunOp, Copy, RaiseEvent, WaitForEvent, CallFunction, FlushCaches>;

}  // namespace spillway
