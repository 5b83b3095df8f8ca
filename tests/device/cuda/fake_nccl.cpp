#include "tests/device/cuda/fake_nccl.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "tests/device/cuda/fake_cuda.h"

namespace spillway {
namespace {

/// One ncclAllReduce, as its rank gave it.
struct Part {
  const float* from;
  float* to;
  std::size_t floats;
  float scale;
};
using Parts = std::vector<Part>;

/// One group of all-reduces, which all ranks must run.
struct Round {
  std::map<int, Parts> by_rank;
  bool over = false;
};

/// The ranks that share an id.
struct Clique {
  int ranks = 0;
  std::map<int, int> gpus;  ///< by rank, of those that are there
  bool broken = false;      ///< one of them is gone or failed
  ncclResult_t failure = ncclSuccess;
  std::map<std::uint64_t, Round> rounds;
};

struct Comm {
  std::shared_ptr<Clique> clique;
  int rank;
  int gpu;
  void* memory;  ///< of the GPU, that it takes
  std::uint64_t rounds_begun = 0;
  std::map<int, float> scales;  ///< of reductions that were made for it
};

/// All that reset() resets.
struct State {
  std::uint64_t calls = 0;
  std::map<std::string, std::uint64_t> calls_by_name;
  std::uint64_t fails_at = 0;
  std::string failed_call;
  std::uint64_t ids = 0;
  std::map<std::uint64_t, std::shared_ptr<Clique>> cliques;
  std::map<ncclComm_t, std::shared_ptr<Comm>> comms;
  std::uintptr_t handles = 0;  ///< given out so far
  int reductions = ncclNumOps;
};

/// The C interface has no object to hold this.
struct Fake {
  std::mutex mutex;
  std::condition_variable changed;
  State state;
};
Fake& fake() {
  static Fake the_fake;
  return the_fake;
}

/// What this thread has between ncclGroupStart and ncclGroupEnd.
struct Group {
  int depth = 0;
  ncclResult_t failure = ncclSuccess;  ///< of the first of its calls that failed
  Parts parts;
  std::shared_ptr<Comm> comm;
  cudaStream_t stream = nullptr;
};
Group& group() {
  thread_local Group the_group;
  return the_group;
}

/// Counts a call under the lock; whether a test wants it to fail.
bool strikes(State& state, const char* name) {
  ++state.calls;
  ++state.calls_by_name[name];
  if (state.calls != state.fails_at) return false;
  state.failed_call = name;
  return true;
}

void fail(Clique& clique, ncclResult_t failure) {
  clique.broken = true;
  if (clique.failure == ncclSuccess) clique.failure = failure;
  fake().changed.notify_all();
}

bool alike(const Parts& one, const Parts& other) {
  return std::ranges::equal(one, other,
                            [](const Part& a, const Part& b) { return a.floats == b.floats && a.scale == b.scale; });
}

/// Every rank's float, scaled, then added in rank order.
void add_up(const Round& round) {
  const Parts& first = round.by_rank.begin()->second;
  for (std::size_t part = 0; part < first.size(); ++part) {
    std::vector<float> sums(first[part].floats);
    for (const auto& [rank, parts] : round.by_rank) {
      for (std::size_t i = 0; i < sums.size(); ++i) {
        const float scaled = parts[part].from[i] * parts[part].scale;
        sums[i] = rank == 0 ? scaled : sums[i] + scaled;
      }
    }
    for (const auto& [rank, parts] : round.by_rank) std::ranges::copy(sums, parts[part].to);
  }
}

/// What a stream, or a graph, runs for one rank.
void run_round(const std::shared_ptr<Comm>& comm, const Parts& parts) {
  std::unique_lock lock(fake().mutex);
  Clique& clique = *comm->clique;
  const std::uint64_t number = comm->rounds_begun++;
  Round& round = clique.rounds[number];
  round.by_rank[comm->rank] = parts;
  if (clique.broken) return;
  const auto like_mine = [&](const auto& rank) { return alike(rank.second, parts); };
  if (!std::ranges::all_of(round.by_rank, like_mine)) return fail(clique, ncclInvalidArgument);
  if (round.by_rank.size() == static_cast<std::size_t>(clique.ranks)) {
    add_up(round);
    round.over = true;
    fake().changed.notify_all();
  }
  fake().changed.wait(lock, [&] { return round.over || clique.broken; });
}

ncclResult_t end_group() {
  Group ended = std::exchange(group(), {});
  if (ended.failure != ncclSuccess || ended.parts.empty()) return ended.failure;
  static_cast<void>(cudaGetLastError());
  fake_cuda_launch(
      ended.stream, [comm = ended.comm, parts = ended.parts] { run_round(comm, parts); }, "all-reduce");
  return cudaGetLastError() == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

ncclResult_t get_unique_id(ncclUniqueId* id) {
  const std::lock_guard lock(fake().mutex);
  if (strikes(fake().state, "ncclGetUniqueId")) return ncclInternalError;
  *id = {};
  const std::uint64_t number = ++fake().state.ids;
  std::memcpy(id->internal, &number, sizeof number);
  fake().state.cliques[number] = std::make_shared<Clique>();
  return ncclSuccess;
}

/// The ranks' meeting, of which this rank takes part with a GPU.
ncclResult_t meet(Clique& clique, int rank, int gpu, std::unique_lock<std::mutex>& lock) {
  const bool taken = std::ranges::any_of(clique.gpus, [&](const auto& other) { return other.second == gpu; });
  if (taken || !clique.gpus.emplace(rank, gpu).second) {
    fail(clique, ncclInvalidUsage);
    return ncclInvalidUsage;
  }
  fake().changed.notify_all();
  fake().changed.wait(lock,
                      [&] { return clique.broken || clique.gpus.size() == static_cast<std::size_t>(clique.ranks); });
  return clique.failure;
}

// Documented: waits for the other ranks; a GPU may be in a communicator only once.
ncclResult_t comm_init_rank(ncclComm_t* handle, int ranks, ncclUniqueId id, int rank) {
  int gpu = 0;
  void* memory = nullptr;
  const bool has_memory = cudaGetDevice(&gpu) == cudaSuccess && cudaMalloc(&memory, FakeNccl::kMemory) == cudaSuccess;
  ncclResult_t result = ncclSuccess;
  {
    std::unique_lock lock(fake().mutex);
    State& state = fake().state;
    std::uint64_t number = 0;
    std::memcpy(&number, id.internal, sizeof number);
    const auto found = state.cliques.find(number);
    if (found == state.cliques.end() || rank < 0 || rank >= ranks) {
      result = ncclInvalidArgument;
    } else {
      const std::shared_ptr<Clique> clique = found->second;
      clique->ranks = ranks;
      if (strikes(state, "ncclCommInitRank")) result = ncclInternalError;
      if (!has_memory) result = ncclUnhandledCudaError;
      if (result != ncclSuccess) {
        fail(*clique, ncclRemoteError);
      } else {
        result = meet(*clique, rank, gpu, lock);
      }
      if (result == ncclSuccess) {
        *handle = reinterpret_cast<ncclComm_t>(std::uintptr_t{0x4cc1'0000'0000'0000} + 64 * ++state.handles);
        state.comms[*handle] = std::make_shared<Comm>(
            Comm{.clique = clique, .rank = rank, .gpu = gpu, .memory = memory, .rounds_begun = 0, .scales = {}});
      }
    }
  }
  if (result != ncclSuccess) static_cast<void>(cudaFree(memory));
  return result;
}

std::shared_ptr<Comm> find(ncclComm_t handle) {
  const auto found = fake().state.comms.find(handle);
  return found == fake().state.comms.end() ? nullptr : found->second;
}

/// Takes a communicator away; `act` sees it last.
template <typename Act>
ncclResult_t end_comm(const char* call, ncclComm_t handle, Act act) {
  std::unique_lock lock(fake().mutex);
  const bool struck = strikes(fake().state, call);
  const std::shared_ptr<Comm> comm = find(handle);
  if (comm == nullptr) return ncclInvalidArgument;
  act(*comm);
  fake().state.comms.erase(handle);
  lock.unlock();
  static_cast<void>(cudaFree(comm->memory));
  return struck ? ncclInternalError : ncclSuccess;
}

ncclResult_t comm_destroy(ncclComm_t handle) {
  return end_comm("ncclCommDestroy", handle, [](Comm&) {});
}

// Documented: ends what is under way on the GPU. The other ranks see that this one has gone.
ncclResult_t comm_abort(ncclComm_t handle) {
  return end_comm("ncclCommAbort", handle, [](Comm& comm) { fail(*comm.clique, ncclRemoteError); });
}

ncclResult_t comm_get_async_error(ncclComm_t handle, ncclResult_t* error) {
  const std::lock_guard lock(fake().mutex);
  if (strikes(fake().state, "ncclCommGetAsyncError")) return ncclInternalError;
  const std::shared_ptr<Comm> comm = find(handle);
  if (comm == nullptr) return ncclInvalidArgument;
  *error = comm->clique->failure;
  return ncclSuccess;
}

const char* get_error_string(ncclResult_t result) {
  switch (result) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "a CUDA call has failed";
    case ncclInternalError: return "internal error";
    case ncclInvalidArgument: return "invalid argument";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "another rank is gone";
    default: return "unknown";
  }
}

const char* get_last_error(ncclComm_t) {
  return "";
}

ncclResult_t group_start() {
  const std::lock_guard lock(fake().mutex);
  if (strikes(fake().state, "ncclGroupStart")) return ncclInternalError;
  ++group().depth;
  return ncclSuccess;
}

// Documented: enqueues what came since the outermost start.
ncclResult_t group_end() {
  {
    const std::lock_guard lock(fake().mutex);
    const bool struck = strikes(fake().state, "ncclGroupEnd");
    if (group().depth == 0) return ncclInvalidUsage;
    if (struck) {
      group() = {};
      return ncclInternalError;
    }
    if (--group().depth > 0) return ncclSuccess;
  }
  return end_group();
}

/// Adds one all-reduce to this thread's group.
ncclResult_t append(const Part& part, ncclDataType_t type, ncclRedOp_t reduction, ncclComm_t handle, int gpu,
                    cudaStream_t stream) {
  const std::lock_guard lock(fake().mutex);
  if (strikes(fake().state, "ncclAllReduce")) return ncclInternalError;
  const std::shared_ptr<Comm> comm = find(handle);
  if (comm == nullptr || comm->gpu != gpu || part.from == nullptr || part.to == nullptr || type != ncclFloat32)
    return ncclInvalidArgument;
  const auto scale = comm->scales.find(reduction);
  if (scale == comm->scales.end()) return ncclInvalidArgument;
  Group& own = group();
  if (own.comm != nullptr && (own.comm != comm || own.stream != stream)) return ncclInvalidUsage;
  own.comm = comm;
  own.stream = stream;
  own.parts.push_back(part);
  own.parts.back().scale = scale->second;
  return ncclSuccess;
}

// Documented: the GPU is the communicator's, in one group all is of one stream for each communicator, a reduction is of
// the communicator that it was made for. Not documented, but so: if one fails, its group's end enqueues nothing.
ncclResult_t all_reduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t reduction,
                        ncclComm_t handle, cudaStream_t stream) {
  int gpu = 0;
  const Part part{static_cast<const float*>(from), static_cast<float*>(to), count, 0};
  const ncclResult_t result =
      cudaGetDevice(&gpu) == cudaSuccess ? append(part, type, reduction, handle, gpu, stream) : ncclUnhandledCudaError;
  if (group().failure == ncclSuccess) group().failure = result;
  return group().depth > 0 ? result : end_group();
}

ncclResult_t red_op_create_pre_mul_sum(ncclRedOp_t* reduction, void* scalar, ncclDataType_t type,
                                       ncclScalarResidence_t residence, ncclComm_t handle) {
  const std::lock_guard lock(fake().mutex);
  if (strikes(fake().state, "ncclRedOpCreatePreMulSum")) return ncclInternalError;
  const std::shared_ptr<Comm> comm = find(handle);
  if (comm == nullptr || type != ncclFloat32 || residence != ncclScalarHostImmediate) return ncclInvalidArgument;
  const int made = fake().state.reductions++;
  comm->scales[made] = *static_cast<const float*>(scalar);
  *reduction = static_cast<ncclRedOp_t>(made);
  return ncclSuccess;
}

// Documented: at any time after the last call that was given it has returned.
ncclResult_t red_op_destroy(ncclRedOp_t reduction, ncclComm_t handle) {
  const std::lock_guard lock(fake().mutex);
  const bool struck = strikes(fake().state, "ncclRedOpDestroy");
  const std::shared_ptr<Comm> comm = find(handle);
  if (comm == nullptr || comm->scales.erase(reduction) == 0) return ncclInvalidArgument;
  return struck ? ncclInternalError : ncclSuccess;
}

template <int version_code>
ncclResult_t get_version(int* version) {
  const std::lock_guard lock(fake().mutex);
  if (strikes(fake().state, "ncclGetVersion")) return ncclInternalError;
  *version = version_code;
  return ncclSuccess;
}

}  // namespace

void FakeNccl::reset() {
  const std::lock_guard lock(fake().mutex);
  fake().state = {};
  group() = {};
}

NcclLibrary FakeNccl::library(bool older) {
  return {.missing = {},
          .algorithm = "Ring",
          .protocol = "Simple",
          .get_version = older ? get_version<21805> : get_version<NCCL_VERSION_CODE>,
          .get_unique_id = get_unique_id,
          .comm_init_rank = comm_init_rank,
          .comm_destroy = comm_destroy,
          .comm_abort = comm_abort,
          .comm_get_async_error = comm_get_async_error,
          .get_error_string = get_error_string,
          .get_last_error = get_last_error,
          .group_start = group_start,
          .group_end = group_end,
          .all_reduce = all_reduce,
          .red_op_create_pre_mul_sum = red_op_create_pre_mul_sum,
          .red_op_destroy = red_op_destroy};
}

void FakeNccl::fail_nth_call(std::uint64_t nth) {
  const std::lock_guard lock(fake().mutex);
  fake().state.fails_at = fake().state.calls + nth;
}

std::string FakeNccl::failed_call() {
  const std::lock_guard lock(fake().mutex);
  return fake().state.failed_call;
}

std::uint64_t FakeNccl::calls() {
  const std::lock_guard lock(fake().mutex);
  return fake().state.calls;
}

std::uint64_t FakeNccl::calls(const std::string& name) {
  const std::lock_guard lock(fake().mutex);
  const auto found = fake().state.calls_by_name.find(name);
  return found == fake().state.calls_by_name.end() ? 0 : found->second;
}

void FakeNccl::lose(int rank) {
  const std::lock_guard lock(fake().mutex);
  for (const auto& [handle, comm] : fake().state.comms)
    if (comm->rank == rank) fail(*comm->clique, ncclRemoteError);
}

std::vector<std::string> FakeNccl::leaks() {
  const std::lock_guard lock(fake().mutex);
  std::vector<std::string> found;
  for (const auto& [handle, comm] : fake().state.comms)
    found.push_back(fmt::format("communicator of rank {}, with {} reductions", comm->rank, comm->scales.size()));
  return found;
}

}  // namespace spillway
