#pragma once

#include "device/cpu/stream_thread.h"

namespace spillway {

/// Serves streams of ops: the compute stream, and another one those that are neither compute nor copy.
class OpThread final : public StreamThread {
 public:
  OpThread(const char* name, Listener listener, Events& events, Failures& failures);
  ~OpThread() override { stop(); }

 private:
  [[nodiscard]] Progress serve(Lane& lane) override;
};

}  // namespace spillway
