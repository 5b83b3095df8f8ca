#pragma once

#include <cublasLt.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// A cuBLASLt without a GPU: the calls of cublasLt.h that we make, linked in place of libcublasLt. A product is worked
// out on the host, in double, from nothing but the descriptors: orders, transposes, leading dimensions, epilogue, alpha
// and beta; on a stream of the fake CUDA runtime, so that it can be captured.
//
// It refuses what cuBLASLt refuses, and what cublasLt.h leaves to luck: destroyed descriptors, attributes that it
// doesn't know or of another size (sizes as seen in 13.1), shapes that don't fit together, algorithms that it didn't
// give or whose settings have no kernel, addresses that are aligned to less than the algorithm wants, a workspace that
// is too small or doesn't begin at a multiple of 256 bytes. Handles aren't given out twice. One host thread at a time.
//
// Its algorithms: 0 plain; 20 may cut the terms into parts and sum these in each of the three ways; 24 wants 16 bytes
// of alignment; 25 adds a bias that wants them; 66 rounds inputs to TF32; 70 is FP32 emulated on tensor cores. The
// heuristic, given a free hand, names them in the order 66, 70, 24, 25, 20, 0.

namespace spillway {

/// How a test sets the fake up, makes it fail and looks at it.
struct FakeCublasLt {
  /// As at the start: forgets everything, settings and failures included.
  static void reset();
  /// What cublasLtGetVersion gives; 130100 after a reset.
  static void set_version(std::size_t version);
  /// As in a version that has lost an algorithm.
  static void forget_algorithm(int number);

  /// The `nth` call of `name` from now on, counted from 1, returns `status` and has no effect, unless it is one that
  /// destroys. Empty: whichever call it is. What can't fail (version, texts) doesn't count.
  static void fail(const std::string& name, std::uint64_t nth, cublasStatus_t status);
  /// The call that was made to fail; empty: none yet.
  static std::string failed_call();
  /// Calls since the last reset, all or by name.
  static std::uint64_t calls();
  static std::uint64_t calls(const std::string& name);

  /// What is still alive, a line each: "layout made by call 12".
  static std::vector<std::string> leaks();
};

}  // namespace spillway
