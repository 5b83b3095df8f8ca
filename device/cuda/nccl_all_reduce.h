#pragma once

#include <functional>
#include <memory>

#include "device/cuda/gpu_all_reduce.h"
#include "device/cuda/nccl_library.h"

namespace spillway {

/// All-reduces by NCCL: those of one call in one group, each rank's floats scaled (ncclRedOpCreatePreMulSum) before
/// they are added. ncclAvg does the same to floats, but of it NCCL documents only the mean, not where it rounds.
///
/// Bits: equal on all ranks, and from run to run for equal sizes, ranks, topology, NCCL version, algorithm and
/// protocol. Without NCCL, or where ranks have different ones, `join` returns false. `load` is called by the first
/// `join`: who has no ranks loads nothing.
[[nodiscard]] std::unique_ptr<GpuAllReduce> make_nccl_all_reduce(std::function<NcclLibrary()> load);

}  // namespace spillway
