#pragma once

#include <array>

#include "device/cpu/paced_link.h"
#include "device/cpu/stream_thread.h"

namespace spillway {

/// Serves the copy streams of both directions on one thread, in chunks, so that neither holds up the other. As a GPU
/// has one copy engine each way, one copy each way is under way at a time. A copy completes when the link that is
/// imitated would have carried it: its time begins when all before it has completed, not when the thread gets to it, so
/// lateness doesn't add up over copies.
class Mover final : public StreamThread {
 public:
  /// `start`: from a copy's issue to its first byte.
  Mover(LinkRates rates, Seconds start, Events& events, Failures& failures);
  ~Mover() override { stop(); }

  /// A copy stream.
  [[nodiscard]] Lane& add_copy_stream(std::size_t commands);

 private:
  /// What carries the copies of one direction.
  struct Engine {
    Lane* lane = nullptr;  ///< whose copy it has; null: free
    bool begun = false;
    Seconds begin;
    std::size_t moved = 0;  ///< bytes
  };
  [[nodiscard]] Progress serve(Lane& lane) override;
  [[nodiscard]] Progress call(Lane& lane, const CallFunction& call);
  [[nodiscard]] Progress copy(Lane& lane, const Copy& copy);

  PacedLink link_;
  Seconds start_;
  std::array<Engine, 2> engines_;
};

}  // namespace spillway
