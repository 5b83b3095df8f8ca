// Memory, copies and launches.
#include <cstring>
#include <utility>

#include "tests/device/cuda/fake_cuda_runtime.h"

namespace spillway {
namespace {

using Where = FakeMemory::Where;

/// Documented: a kind outside of the enumeration is the wrong direction, and the two areas may not overlap. Addresses
/// that don't match the kind are undefined behaviour.
cudaError_t check_copy(const FakeMemory& memory, void* to, const void* from, std::size_t size, cudaMemcpyKind kind) {
  if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return cudaErrorInvalidMemcpyDirection;
  const Where from_where = memory.where(from, size), to_where = memory.where(to, size);
  if (from_where == Where::elsewhere || to_where == Where::elsewhere) return cudaErrorInvalidValue;
  if (kind != cudaMemcpyDefault) {
    const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
    const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
    if ((from_where == Where::device) != from_device || (to_where == Where::device) != to_device)
      return cudaErrorInvalidValue;
  }
  const auto first = reinterpret_cast<std::uintptr_t>(from), second = reinterpret_cast<std::uintptr_t>(to);
  const bool overlap = first < second ? second - first < size : first - second < size;
  return overlap ? cudaErrorInvalidValue : cudaSuccess;
}

}  // namespace

void fake_cuda_launch(cudaStream_t stream, std::function<void()> work, std::string name) {
  static_cast<void>(serve("fake_cuda_launch", OnRefusal::nothing, [&](FakeCall& call) {
    // Documented: a launch fails on a stream of another GPU than the thread's.
    if (const FakeStream* const found = call.state.streams.find(stream);
        found != nullptr && found->gpu != fake_host_thread().gpu)
      return cudaErrorInvalidResourceHandle;
    return submit(call.state, stream,
                  {.type = cudaGraphNodeTypeKernel,
                   .name = std::move(name),
                   .work = std::move(work),
                   .touched = {},
                   .recorded = nullptr,
                   .behind = {}});
  }));
}

}  // namespace spillway

using namespace spillway;

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return serve("cudaMemGetInfo", OnRefusal::nothing, [&](FakeCall& call) {
    if (free == nullptr || total == nullptr) return cudaErrorInvalidValue;
    *total = call.state.device.memory;
    *free = call.state.device.memory - call.state.memory.used(fake_host_thread().gpu);
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** memory, size_t size) {
  return serve("cudaMalloc", OnRefusal::nothing, [&](FakeCall& call) {
    if (const cudaError_t error = refuse_unsafe(call.state); error != cudaSuccess) return error;
    return call.state.memory.allocate(memory, size, fake_host_thread().gpu, call.state.device.memory,
                                      call.state.calls.all());
  });
}

// Freeing and unregistering wait for all work, as the driver does, though nothing promises it: so they order nothing.
cudaError_t cudaFree(void* memory) {
  return serve("cudaFree", OnRefusal::release, [&](FakeCall& call) {
    if (const cudaError_t error = refuse_unsafe(call.state); error != cudaSuccess) return error;
    wait_for_all(call, false);
    return call.state.memory.free(memory);
  });
}

cudaError_t cudaHostRegister(void* memory, size_t size, unsigned flags) {
  return serve("cudaHostRegister", OnRefusal::nothing, [&](FakeCall& call) {
    constexpr unsigned kKnown =
        cudaHostRegisterPortable | cudaHostRegisterMapped | cudaHostRegisterIoMemory | cudaHostRegisterReadOnly;
    if ((flags & ~kKnown) != 0) return cudaErrorInvalidValue;
    if (const cudaError_t error = refuse_unsafe(call.state); error != cudaSuccess) return error;
    return call.state.memory.add_registration(memory, size, call.state.calls.all());
  });
}

cudaError_t cudaHostUnregister(void* memory) {
  return serve("cudaHostUnregister", OnRefusal::release, [&](FakeCall& call) {
    if (const cudaError_t error = refuse_unsafe(call.state); error != cudaSuccess) return error;
    wait_for_all(call, false);
    return call.state.memory.remove_registration(memory);
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t size, cudaMemcpyKind kind, cudaStream_t stream) {
  return serve("cudaMemcpyAsync", OnRefusal::nothing, [&](FakeCall& call) {
    if (call.state.streams.find(stream) == nullptr) return cudaErrorInvalidResourceHandle;
    if (size == 0) return cudaSuccess;
    const FakeMemory& memory = call.state.memory;
    if (const cudaError_t error = check_copy(memory, to, from, size, kind); error != cudaSuccess) return error;
    return submit(call.state, stream,
                  {.type = cudaGraphNodeTypeMemcpy,
                   .name = "copy",
                   .work = [=] { std::memcpy(to, from, size); },
                   .touched = {{from, size, memory.where(from, size)}, {to, size, memory.where(to, size)}},
                   .recorded = nullptr,
                   .behind = {}});
  });
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t size, cudaStream_t stream) {
  return serve("cudaMemsetAsync", OnRefusal::nothing, [&](FakeCall& call) {
    if (call.state.streams.find(stream) == nullptr) return cudaErrorInvalidResourceHandle;
    if (size == 0) return cudaSuccess;
    if (call.state.memory.where(memory, size) != Where::device) return cudaErrorInvalidValue;
    return submit(call.state, stream,
                  {.type = cudaGraphNodeTypeMemset,
                   .name = "set",
                   .work = [=] { std::memset(memory, value, size); },
                   .touched = {{memory, size, Where::device}},
                   .recorded = nullptr,
                   .behind = {}});
  });
}
