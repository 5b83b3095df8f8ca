#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/units.h"

namespace spillway {

/// An Error that every rank throws, with the same line: one of them is enough to tell it.
class AgreedError : public Error {
 public:
  explicit AgreedError(const std::string& line) : Error(ExitCode::input, line) {}
};

/// Ranks that train one network data-parallel, seen from one of them.
///
/// All but rank, size, staging_bytes and abort are collective: every rank makes the same calls in the same order, and
/// each blocks until it has what it promises, without keeping a core busy. Ranks that make different calls, or that
/// disagree on sizes, scale or root, all get the same AgreedError (exit 2) before any byte is touched, and may go on.
/// One thread at a time uses a communicator; two threads use one each (`duplicate`). Only abort may be called from
/// any thread, at any time.
/// When another rank fails, a call throws Error, or this process is ended.
class Communicator {
 public:
  virtual ~Communicator() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  /// Sums in place, on all ranks. Element i of the pieces laid end to end becomes
  /// (((x_0 + x_1) + x_2) + ... + x_{N-1}) * scale, x_r being rank r's, in FP32 and in that order: the same bits on
  /// every rank, on every run and in every implementation, wherever the pieces are cut.
  /// Requires: pieces don't overlap, and nobody else touches them during the call.
  virtual void all_reduce_sum(std::span<const std::span<float>> pieces, float scale) = 0;
  /// Gives every rank the bytes of rank `root`.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
  /// Every rank's text, by rank. Texts may differ in length.
  [[nodiscard]] virtual std::vector<std::string> all_gather(const std::string& text) = 0;
  /// Returns when every rank has called it.
  virtual void barrier() = 0;
  /// The same ranks again, to be used from another thread at the same time.
  [[nodiscard]] virtual std::unique_ptr<Communicator> duplicate() = 0;

  /// Ends all ranks. Over MPI every process ends at once with this exit code, and this doesn't return. Ranks that are
  /// threads get an Error with this exit code from the call that they are in or make next, on every duplicate; here it
  /// returns, so that the caller can join its threads and unwind.
  virtual void abort(ExitCode code) = 0;

  /// Memory that all_reduce_sum takes beside the pieces; had at its first call, kept, whatever their sizes.
  [[nodiscard]] virtual Bytes staging_bytes() const = 0;
};

}  // namespace spillway
