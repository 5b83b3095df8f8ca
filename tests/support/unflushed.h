#pragma once

#include "device/wrappers/forward.h"

namespace spillway {

/// A device for profiles whose times a test doesn't look at: caches stay as they are before a timed op, and the largest
/// copies are left out where it passes for one with little memory. Overwriting a last-level cache of 100 MB, and copies
/// of 64 MiB, take longer than all other work of a tiny network, most of all under ThreadSanitizer, which notes each
/// byte that is written.
class Unflushed final : public ForwardingDevice {
 public:
  explicit Unflushed(Device& inner) : Unflushed(inner, inner.properties().memory) {}
  Unflushed(Device& inner, Bytes memory) : ForwardingDevice(inner), properties_(inner.properties()) {
    properties_.memory = memory;
  }
  [[nodiscard]] const DeviceProperties& properties() const override { return properties_; }
  void enqueue_cache_flush(StreamId) override {}

 private:
  DeviceProperties properties_;
};

}  // namespace spillway
