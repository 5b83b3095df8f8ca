#include "tests/device/cuda/streamed_launches.h"

#include "device/cuda/cuda_call.h"
#include "tests/device/cuda/fake_cuda.h"

namespace spillway {

namespace {

template <class Functor>
void launch(const char* name, cudaStream_t stream, std::int64_t count, const Functor& functor) {
  if (count <= 0) return;
  fake_cuda_launch(
      stream,
      [count, functor] {
        for (std::int64_t i = 0; i < count; ++i) run_on_host(functor, i);
      },
      name);
  must(cudaGetLastError(), "launch", name);
}

#define SPILLWAY_DEFINE(Functor)                                                           \
  void launch_##Functor(cudaStream_t stream, std::int64_t count, const Functor& functor) { \
    launch(#Functor, stream, count, functor);                                              \
  }
SPILLWAY_ELEMENTS(SPILLWAY_DEFINE)
#undef SPILLWAY_DEFINE

constexpr LaunchTable kStreamed = {
#define SPILLWAY_ENTRY(Functor) .launch_##Functor = launch_##Functor,
    SPILLWAY_ELEMENTS(SPILLWAY_ENTRY)
#undef SPILLWAY_ENTRY
};

}  // namespace

const LaunchTable& streamed_launches() {
  return kStreamed;
}

}  // namespace spillway
