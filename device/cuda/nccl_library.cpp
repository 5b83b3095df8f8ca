#include "device/cuda/nccl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <type_traits>

namespace spillway {
namespace {

/// The variable's value, which is `otherwise` from now on where there was none.
std::string pinned(const char* variable, const char* otherwise) {
  setenv(variable, otherwise, 0);
  return std::getenv(variable);
}

}  // namespace

NcclLibrary load_nccl(const char* name) {
  NcclLibrary library;
  void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    library.missing = fmt::format("{} can't be loaded ({})", name, dlerror());
    return library;
  }
  const auto find = [&](auto& call, const char* symbol) {
    call = reinterpret_cast<std::remove_reference_t<decltype(call)>>(dlsym(handle, symbol));
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
