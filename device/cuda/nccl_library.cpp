#include "device/cuda/nccl_library.h"

#include <fmt/format.h>

#include <cstdlib>
#include <optional>

#include "device/cuda/shared_library.h"

namespace spillway {
namespace {

/// The variable's value, which is `otherwise` from now on where there was none.
std::string pinned(const char* variable, const char* otherwise) {
  setenv(variable, otherwise, 0);
  return std::getenv(variable);
}

}  // namespace

std::string nccl_version_text(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

NcclLibrary load_nccl(const std::string& name) {
  NcclLibrary library;
  const std::optional<SharedLibrary> loaded = SharedLibrary::open(name, library.missing);
  if (!loaded) return library;
  const auto find = [&](auto& call, const char* symbol) {
    loaded->find(symbol, call);
    if (call == nullptr && library.missing.empty())
      library.missing = fmt::format("{} has no {}, expected NCCL 2.13 or newer", name, symbol);
  };
  find(library.get_version, "ncclGetVersion");
  find(library.get_unique_id, "ncclGetUniqueId");
  find(library.comm_init_rank, "ncclCommInitRank");
  find(library.comm_destroy, "ncclCommDestroy");
  find(library.comm_abort, "ncclCommAbort");
  find(library.comm_get_async_error, "ncclCommGetAsyncError");
  find(library.get_error_string, "ncclGetErrorString");
  find(library.get_last_error, "ncclGetLastError");
  find(library.group_start, "ncclGroupStart");
  find(library.group_end, "ncclGroupEnd");
  find(library.all_reduce, "ncclAllReduce");
  find(library.red_op_create_pre_mul_sum, "ncclRedOpCreatePreMulSum");
  find(library.red_op_destroy, "ncclRedOpDestroy");
  if (library.missing.empty()) {
    library.algorithm = pinned("NCCL_ALGO", "Ring");
    library.protocol = pinned("NCCL_PROTO", "Simple");
  }
  return library;
}

}  // namespace spillway
