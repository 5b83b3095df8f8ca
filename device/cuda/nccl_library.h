#pragma once

#include <nccl.h>

#include <string>

namespace spillway {

/// libnccl's calls, found when Spillway runs: it is built, and starts, on machines without NCCL. Empty `missing`: all
/// are there.
struct NcclLibrary {
  std::string missing;              ///< why there is none: what was looked for, and what was found
  std::string algorithm, protocol;  ///< as libnccl is told to use them: they fix the order in which floats are added

  decltype(&::ncclGetVersion) get_version = nullptr;
  decltype(&::ncclGetUniqueId) get_unique_id = nullptr;
  decltype(&::ncclCommInitRank) comm_init_rank = nullptr;
  decltype(&::ncclCommDestroy) comm_destroy = nullptr;
  decltype(&::ncclCommAbort) comm_abort = nullptr;
  decltype(&::ncclCommGetAsyncError) comm_get_async_error = nullptr;
  decltype(&::ncclGetErrorString) get_error_string = nullptr;
  decltype(&::ncclGetLastError) get_last_error = nullptr;
  decltype(&::ncclGroupStart) group_start = nullptr;
  decltype(&::ncclGroupEnd) group_end = nullptr;
  decltype(&::ncclAllReduce) all_reduce = nullptr;
  decltype(&::ncclRedOpCreatePreMulSum) red_op_create_pre_mul_sum = nullptr;
  decltype(&::ncclRedOpDestroy) red_op_destroy = nullptr;
};

/// "2.28.9" for 22809: the scheme of NCCL 2.9 and newer.
[[nodiscard]] std::string nccl_version_text(int version);

/// Loads `name`, which stays loaded, and sets NCCL_ALGO to Ring and NCCL_PROTO to Simple where the user hasn't set
/// them: otherwise NCCL chooses by size and topology, and there is no other way to tell it (ncclConfig_t, up to 2.28,
/// has neither). No other thread may use the environment meanwhile.
[[nodiscard]] NcclLibrary load_nccl(const std::string& name = "libnccl.so.2");

}  // namespace spillway
