#include "device/cuda/library_all_reduce.h"
#include "device/cuda/nccl_all_reduce.h"

namespace spillway {

std::unique_ptr<GpuAllReduce> library_all_reduce() {
  return make_nccl_all_reduce([] { return load_nccl(); });
}

}  // namespace spillway
