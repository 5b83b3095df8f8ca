#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <deque>
#include <exception>
#include <mutex>

namespace spillway {

/// Functions that run on a stream's behalf on a thread of CUDA's. What one throws is kept and thrown by `rethrow`;
/// those behind it don't run any more. CUDA must not see an exception.
class HostCalls {
 public:
  /// Enqueues, or captures, `function(argument)`. One thread at a time.
  void enqueue(cudaStream_t stream, void (*function)(void*), void* argument);
  /// Throws what the first function that failed threw, once.
  void rethrow();

 private:
  struct Call {
    HostCalls* owner;
    void (*function)(void*);
    void* argument;
  };
  static void run(void* call);

  std::deque<Call> calls_;  ///< one for each function and argument; graphs point into it
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  ///< guards `failure_`
  std::exception_ptr failure_;
};

}  // namespace spillway
