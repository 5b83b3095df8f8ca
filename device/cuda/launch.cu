#include <algorithm>

#include "device/cuda/cuda_call.h"
#include "device/cuda/launch_table.h"

namespace spillway {

namespace {

constexpr int kThreads = 256;
/// Enough blocks to fill the largest GPU many times over; what is left is done in a loop. The bits don't depend on it.
constexpr std::int64_t kMostBlocks = 65536;

template <class Functor>
__global__ void __launch_bounds__(kThreads) run_elements(std::int64_t count, const __grid_constant__ Functor functor) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < count; i += step)
    functor(i);
}

/// One block for each row, in the order that elements/rows.h states.
template <class Functor>
__global__ void __launch_bounds__(kRowLanes) run_rows(std::int64_t count, const __grid_constant__ Functor functor) {
  using Sums = typename Functor::Sums;
  __shared__ Sums lanes[kRowLanes];
  const int lane = static_cast<int>(threadIdx.x);
  for (std::int64_t index = blockIdx.x; index < count; index += gridDim.x) {
    const auto row = functor.row(index);
    Sums sums = Sums::start();
    for (std::int64_t term = lane; term < row.terms; term += kRowLanes) row.add(term, sums);
    lanes[lane] = sums;
    __syncthreads();
    for (int half = kRowLanes / 2; half > 0; half /= 2) {
      if (lane < half) lanes[lane].merge(lanes[lane + half]);
      __syncthreads();
    }
    if (lane == 0) functor.finish(index, lanes[0]);
    __syncthreads();  // the next row overwrites the lanes
  }
}

template <class Functor>
void launch(const char* name, cudaStream_t stream, std::int64_t count, const Functor& functor) {
  if (count <= 0) return;  // a grid without blocks is an error
  if constexpr (kIsRow<Functor>) {
    const auto blocks = static_cast<unsigned>(std::min(count, kMostBlocks));
    run_rows<Functor><<<blocks, kRowLanes, 0, stream>>>(count, functor);
  } else {
    const auto blocks = static_cast<unsigned>(std::min((count - 1) / kThreads + 1, kMostBlocks));
    run_elements<Functor><<<blocks, kThreads, 0, stream>>>(count, functor);
  }
  must(cudaGetLastError(), "a launch", name);
}

#define SPILLWAY_DEFINE(Functor)                                                           \
  void launch_##Functor(cudaStream_t stream, std::int64_t count, const Functor& functor) { \
    launch(#Functor, stream, count, functor);                                              \
  }
SPILLWAY_ELEMENTS(SPILLWAY_DEFINE)
#undef SPILLWAY_DEFINE

constexpr LaunchTable kGpuLaunches = {
#define SPILLWAY_ENTRY(Functor) .launch_##Functor = launch_##Functor,
    SPILLWAY_ELEMENTS(SPILLWAY_ENTRY)
#undef SPILLWAY_ENTRY
};

}  // namespace

const LaunchTable& gpu_launches() {
  return kGpuLaunches;
}

}  // namespace spillway
