#include "device/cuda/gpu_all_reduce.h"

#include <chrono>
#include <thread>

#include "device/cuda/cuda_call.h"

namespace spillway {

void wait_checking(cudaEvent_t event, const char* what, GpuAllReduce& all_reduce) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kBetweenChecks{1};
  auto next = Clock::now() + kBetweenChecks;
  for (;;) {
    const cudaError_t result = cudaEventQuery(event);
    if (result != cudaErrorNotReady) {
      must(result, "cudaEventQuery", what);
      return all_reduce.check();
    }
    ignore(result);
    if (Clock::now() >= next) {
      all_reduce.check();
      next = Clock::now() + kBetweenChecks;
    }
    std::this_thread::yield();  // as cudaEventSynchronize does by default
  }
}

}  // namespace spillway
