#pragma once

#include <nccl.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "device/cuda/nccl_library.h"

// NCCL without GPUs: the calls of nccl.h that we make, on the fake CUDA runtime, among ranks that are threads. An
// all-reduce is work of the stream that it is enqueued to, or of the graph that it is captured into; when all ranks'
// have begun, one of them adds up. It refuses what NCCL documents as wrong and, where NCCL would hang or destroy data,
// fails all ranks: a GPU for two ranks, ranks that reduce different numbers of pieces or floats.

namespace spillway {

struct FakeNccl {
  /// That a communicator takes of its GPU.
  static constexpr std::size_t kMemory = std::size_t{1} << 20;

  /// As at the start. Requires: no other thread is in a call, no all-reduce is under way.
  static void reset();
  /// One that says it is of nccl.h's version, or 2.18.5.
  static NcclLibrary library(bool older = false);

  /// The `nth` call from now on, counted from 1, returns ncclInternalError and has no effect but for what gives back,
  /// and for ncclCommInitRank: then no other rank can join any more either.
  static void fail_nth_call(std::uint64_t nth);
  /// The call that was made to fail; empty: none yet.
  static std::string failed_call();
  /// Calls since the last reset.
  static std::uint64_t calls();
  static std::uint64_t calls(const std::string& name);

  /// As if this rank's process had died: the others' all-reduces fail, those under way too.
  static void lose(int rank);
  /// What is still alive, a line each.
  static std::vector<std::string> leaks();
};

}  // namespace spillway
