#include <fmt/format.h>

#include "device/cuda/library_all_reduce.h"
#include "device/cuda/nccl_all_reduce.h"

namespace spillway {

std::unique_ptr<GpuAllReduce> library_all_reduce() {
  return make_nccl_all_reduce([] { return load_nccl(); });
}

std::string all_reduce_library_version(std::string& why) {
  const NcclLibrary library = load_nccl();
  why = library.missing;
  int version = 0;
  if (!why.empty()) return "";
  if (const ncclResult_t result = library.get_version(&version); result != ncclSuccess) {
    why = fmt::format("ncclGetVersion failed: {}", library.get_error_string(result));
    return "";
  }
  return nccl_version_text(version);
}

}  // namespace spillway
