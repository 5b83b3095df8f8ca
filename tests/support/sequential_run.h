#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/graph.h"
#include "device/device.h"

namespace spillway {

/// Runs a graph's ops one after another on a device, with every buffer at an offset of its own: what a step computes
/// when nothing is swapped, shared or reordered. Each op runs on its first kernel.
///
/// Values go in and out in logical order (batch, channels, space), whatever the graph's layout. Lasting buffers begin
/// as their initializers say, filled by the buffer's name and seed 1. Others begin with NaN bytes, so that a read
/// before a write is seen.
class SequentialRun {
 public:
  /// Requires: the device outlives this; nobody else uses it meanwhile. Throws Error (exit 3) when the device has no
  /// kernel for an op.
  SequentialRun(Device& device, const Graph& graph, std::int64_t batch);

  void step();

  /// Requires: a tensor of this name and as many values as it has elements.
  void set(std::string_view tensor, const std::vector<float>& values);
  void set(std::string_view tensor, const std::vector<std::int64_t>& values);
  [[nodiscard]] std::vector<float> get(std::string_view tensor);
  [[nodiscard]] std::vector<float> get(TensorId tensor);

 private:
  [[nodiscard]] TensorId find(std::string_view tensor) const;
  [[nodiscard]] Bytes address(TensorId tensor) const;
  void initialize();
  void upload(Bytes to, std::span<const std::byte> from);
  std::span<const std::byte> download(Bytes from, Bytes size);
  void wait_for_everything(StreamId stream);

  Device& device_;
  const Graph& graph_;
  std::int64_t batch_;
  IdVector<BufferId, Bytes> offsets_;
  Bytes workspace_;
  IdVector<OpId, KernelId> kernels_;
  StreamId compute_, swap_in_, swap_out_;
  EventId completed_;
  std::uint64_t waits_ = 0;
};

}  // namespace spillway
