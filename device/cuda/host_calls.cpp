#include "device/cuda/host_calls.h"

#include <algorithm>
#include <utility>

#include "device/cuda/cuda_call.h"

namespace spillway {

void HostCalls::enqueue(cudaStream_t stream, void (*function)(void*), void* argument) {
  auto call = std::ranges::find_if(
      calls_, [&](const Call& known) { return known.function == function && known.argument == argument; });
  if (call == calls_.end()) {
    calls_.push_back({.owner = this, .function = function, .argument = argument});
    call = std::prev(calls_.end());
  }
  must(cudaLaunchHostFunc(stream, &HostCalls::run, &*call), "cudaLaunchHostFunc", "a function on the host");
}

void HostCalls::run(void* argument) {
  const Call& call = *static_cast<const Call*>(argument);
  HostCalls& self = *call.owner;
  if (self.failed_) return;
  try {
    call.function(call.argument);
  } catch (...) {
    const std::lock_guard lock(self.mutex_);
    if (!self.failure_) self.failure_ = std::current_exception();
    self.failed_ = true;
  }
}

void HostCalls::rethrow() {
  if (!failed_) return;
  std::exception_ptr failure;
  {
    const std::lock_guard lock(mutex_);
    failure = std::exchange(failure_, nullptr);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace spillway
