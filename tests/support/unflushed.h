#pragma once

#include "device/wrappers/forward.h"

namespace spillway {

/// A device whose caches stay as they are before a timed op: for profiles whose times a test doesn't look at.
/// Overwriting a last-level cache of 100 MB takes longer than all other work of a tiny network, most of all under
/// ThreadSanitizer, which notes each byte that is written.
class Unflushed final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;
  void enqueue_cache_flush(StreamId) override {}
};

}  // namespace spillway
