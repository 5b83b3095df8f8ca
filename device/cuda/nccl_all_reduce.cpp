#include "device/cuda/nccl_all_reduce.h"

#include <fmt/format.h>

#include <exception>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/units.h"
#include "device/cuda/cuda_call.h"
#include "device/cuda/cuda_handles.h"

namespace spillway {
namespace {

std::size_t free_memory() {
  std::size_t free = 0, total = 0;
  must(cudaMemGetInfo(&free, &total), "cudaMemGetInfo", "what NCCL takes");
  return free;
}

class NcclAllReduce final : public GpuAllReduce {
 public:
  explicit NcclAllReduce(std::function<NcclLibrary()> load)
      : load_(std::move(load)), exceptions_(std::uncaught_exceptions()) {}
  ~NcclAllReduce() override { leave(); }

  [[nodiscard]] bool join(const RankMeeting& meeting, cudaStream_t stream) override {
    if (load_) nccl_ = std::exchange(load_, nullptr)();
    leave();
    failed_ = false;
    if (!all_have_the_same(meeting)) return false;
    // From here on until all have joined nothing fails on one rank alone, so that no other one waits in vain.
    CudaMemory memory = one_float();
    const std::size_t before = free_memory();
    ncclUniqueId id{};
    if (meeting.rank == 0) check_nccl(nccl_.get_unique_id(&id), "ncclGetUniqueId", "the ranks' meeting point");
    meeting.broadcast(std::as_writable_bytes(std::span(&id, 1)));
    check_nccl(nccl_.comm_init_rank(&comm_, meeting.ranks, id, meeting.rank), "ncclCommInitRank",
               fmt::format("rank {} of {}", meeting.rank, meeting.ranks));
    run_once(static_cast<float*>(memory.get()), stream);
    const std::size_t after = free_memory();
    taken_ = {static_cast<std::int64_t>(before > after ? before - after : 0)};
    return true;
  }

  void enqueue(cudaStream_t stream, std::span<const std::span<float>> pieces, float scale) override {
    SPILLWAY_CHECK(comm_ != nullptr, "an all-reduce of ranks that haven't joined");
    use_scale(scale);
    check_nccl(nccl_.group_start(), "ncclGroupStart", "an all-reduce");
    ncclResult_t result = ncclSuccess;
    for (const std::span<float> piece : pieces) {
      result = nccl_.all_reduce(piece.data(), piece.data(), piece.size(), ncclFloat32, *scaled_sum_, comm_, stream);
      if (result != ncclSuccess) break;
    }
    const ncclResult_t ended = nccl_.group_end();  // in any case, else all that follows is in the group
    check_nccl(result, "ncclAllReduce", fmt::format("a group of {}", pieces.size()));
    check_nccl(ended, "ncclGroupEnd", fmt::format("an all-reduce of {} pieces", pieces.size()));
  }

  void check() override {
    if (comm_ == nullptr) return;
    ncclResult_t state = ncclSuccess;
    check_nccl(nccl_.comm_get_async_error(comm_, &state), "ncclCommGetAsyncError", "all-reduces under way");
    if (state == ncclSuccess || state == ncclInProgress) return;
    failed_ = true;
    throw machine_error(fmt::format(
        "NCCL: an all-reduce failed: {}: another rank, its GPU or the network between them may be gone; what failed "
        "first is told by that rank, or by NCCL with NCCL_DEBUG=WARN",
        nccl_.get_error_string(state)));
  }

  void end_after_failure() noexcept override {
    if (failed_ || std::uncaught_exceptions() > exceptions_) abort();
  }

  [[nodiscard]] std::string identity() const override { return what_; }
  [[nodiscard]] std::string text() const override {
    if (comm_ == nullptr) return "through host memory: " + why_not_;
    return fmt::format("on the GPUs, {}, for which it takes {} of a GPU's memory", what_, to_text(taken_));
  }

 private:
  /// Throws Error (exit 3) of one line unless the call went well: call, purpose, what NCCL says.
  void check_nccl(ncclResult_t result, const char* call, const std::string& what) {
    if (result == ncclSuccess) return;
    failed_ = true;
    const std::string detail = nccl_.get_last_error(comm_);
    throw machine_error(fmt::format("NCCL: {} for {} failed: {}{}{}", call, what, nccl_.get_error_string(result),
                                    detail.empty() ? "" : ": ", detail.substr(0, detail.find('\n'))));
  }

  [[nodiscard]] bool all_have_the_same(const RankMeeting& meeting) {
    std::string mine;  // empty: nothing
    if (nccl_.missing.empty()) {
      int version = 0;
      check_nccl(nccl_.get_version(&version), "ncclGetVersion", "its version");
      mine = fmt::format("NCCL {}, algorithm {}, protocol {}", nccl_version_text(version), nccl_.algorithm,
                         nccl_.protocol);
    }
    const std::vector<std::string> found = meeting.all_gather(mine), reasons = meeting.all_gather(nccl_.missing);
    for (std::size_t rank = 0; rank < found.size(); ++rank) {
      if (found[rank].empty())
        why_not_ = fmt::format("on rank {}, {}", rank, reasons[rank]);
      else if (found[rank] != found[0])
        why_not_ = fmt::format("rank {} has {}, rank 0 {}", rank, found[rank], found[0]);
      else
        continue;
      return false;
    }
    what_ = mine;
    return true;
  }

  static CudaMemory one_float() {
    void* memory = nullptr;
    must(cudaMalloc(&memory, sizeof(float)), "cudaMalloc", "a float to reduce");
    return CudaMemory(memory);
  }

  void run_once(float* value, cudaStream_t stream) {
    const std::span<float> pieces[] = {std::span(value, 1)};
    must(cudaMemsetAsync(value, 0, sizeof *value, stream), "cudaMemsetAsync", "a float to reduce");
    enqueue(stream, pieces, 1);
    const CudaEvent completed = make_event();
    must(cudaEventRecord(completed.get(), stream), "cudaEventRecord", "a first all-reduce");
    wait_checking(completed.get(), "a first all-reduce", *this);
  }

  /// Makes `scaled_sum_` the reduction that multiplies by `scale` and adds up.
  void use_scale(float scale) {
    if (scaled_sum_ && scale_ == scale) return;
    forget_scale();
    ncclRedOp_t reduction{};
    check_nccl(nccl_.red_op_create_pre_mul_sum(&reduction, &scale, ncclFloat32, ncclScalarHostImmediate, comm_),
               "ncclRedOpCreatePreMulSum", fmt::format("a sum scaled by {}", scale));
    scaled_sum_ = reduction;
    scale_ = scale;
  }
  void forget_scale() {
    if (!scaled_sum_) return;
    static_cast<void>(nccl_.red_op_destroy(*scaled_sum_, comm_));
    scaled_sum_.reset();
  }

  void leave() noexcept {
    end_after_failure();
    if (comm_ == nullptr) return;
    forget_scale();
    static_cast<void>(nccl_.comm_destroy(std::exchange(comm_, nullptr)));
  }
  void abort() noexcept {
    if (comm_ == nullptr) return;
    forget_scale();
    static_cast<void>(nccl_.comm_abort(std::exchange(comm_, nullptr)));
  }

  std::function<NcclLibrary()> load_;  ///< empty once `nccl_` is loaded
  NcclLibrary nccl_;
  int exceptions_;  ///< that were under way when it was made
  ncclComm_t comm_ = nullptr;
  bool failed_ = false;
  std::optional<ncclRedOp_t> scaled_sum_;
  float scale_ = 0;
  std::string what_, why_not_;
  Bytes taken_;
};

}  // namespace

std::unique_ptr<GpuAllReduce> make_nccl_all_reduce(std::function<NcclLibrary()> load) {
  return std::make_unique<NcclAllReduce>(std::move(load));
}

}  // namespace spillway
