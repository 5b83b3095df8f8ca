#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/device/cuda/fake_calls.h"
#include "tests/device/cuda/fake_cuda.h"
#include "tests/device/cuda/fake_cuda_capture.h"
#include "tests/device/cuda/fake_cuda_graph.h"
#include "tests/device/cuda/fake_cuda_memory.h"
#include "tests/device/cuda/fake_cuda_stream.h"

namespace spillway {

struct FakeStream {
  FakeStream(std::uint64_t made_by, int of_gpu, std::atomic<bool>& failed)
      : call(made_by), gpu(of_gpu), thread(failed) {}

  std::uint64_t call;  ///< that made it
  int gpu;
  FakeStreamThread thread;
  FakeCapturePoint point;  ///< its capture is null while it isn't capturing
};

struct FakeEvent {
  std::uint64_t call;
  int gpu;
  unsigned flags;
  FakeCompletion* recorded = nullptr;  ///< what the last record outside of a capture will complete
  FakeCapturePoint captured;           ///< if the last record was captured
};

struct FakeGraph {
  std::uint64_t call;
  std::vector<FakeNode> nodes;
  std::vector<cudaGraphNode_t> handles;
};

struct FakeGraphExec {
  std::uint64_t call;
  std::vector<FakeNode> nodes;
  std::vector<std::vector<std::size_t>> chains;
  FakeCompletion* launched = nullptr;  ///< the last launch's end
};

/// Objects by handle. A handle that was erased finds nothing, for ever: none is given out twice. The objects live on
/// until the end, for streams may still use them and nothing orders these with the host.
template <class Handle, class Object>
class FakeHandles {
 public:
  Object& add(Handle handle, std::unique_ptr<Object> object) {
    all_.push_back(std::move(object));
    return *alive_.emplace(handle, all_.back().get()).first->second;
  }
  [[nodiscard]] Object* find(Handle handle) const {
    const auto found = alive_.find(handle);
    return found == alive_.end() ? nullptr : found->second;
  }
  [[nodiscard]] bool erase(Handle handle) { return alive_.erase(handle) == 1; }
  [[nodiscard]] const std::map<Handle, Object*>& alive() const { return alive_; }
  /// Takes out those that were erased.
  [[nodiscard]] std::vector<std::unique_ptr<Object>> take_erased() {
    std::set<const Object*> kept;
    for (const auto& [handle, object] : alive_) kept.insert(object);
    const auto erased =
        std::partition(all_.begin(), all_.end(), [&](const auto& each) { return kept.contains(each.get()); });
    std::vector<std::unique_ptr<Object>> taken(std::make_move_iterator(erased), std::make_move_iterator(all_.end()));
    all_.erase(erased, all_.end());
    return taken;
  }
  /// Those erased included.
  [[nodiscard]] const std::vector<std::unique_ptr<Object>>& all() const { return all_; }

 private:
  std::map<Handle, Object*> alive_;
  std::vector<std::unique_ptr<Object>> all_;
};

/// All that reset() resets. The order of members is that of destruction backwards: streams end first.
struct FakeState {
  FakeDevice device;
  bool no_driver = false;
  std::uint64_t seed = 0;

  FakeCalls<cudaError_t> calls;

  std::atomic<bool> failed{false};  ///< work has thrown
  std::uintptr_t handles = 0;       ///< given out so far
  std::deque<FakeCompletion> completions;
  FakeMemory memory;
  std::vector<std::shared_ptr<FakeCapture>> captures;  ///< that haven't ended
  FakeHandles<cudaEvent_t, FakeEvent> events;
  FakeHandles<cudaGraph_t, FakeGraph> graphs;
  cudaGraph_t last_graph = nullptr;  ///< captured last, alive or not
  FakeHandles<cudaGraphExec_t, FakeGraphExec> executables;
  std::map<cudaGraphNode_t, std::pair<cudaGraph_t, std::size_t>> nodes;  ///< of graphs that are alive
  FakeHandles<cudaStream_t, FakeStream> streams;

  /// Never an address that can be used.
  template <class Handle>
  [[nodiscard]] Handle new_handle() {
    return reinterpret_cast<Handle>(std::uintptr_t{0x4fac'e000'0000'0000} + 64 * ++handles);
  }
  [[nodiscard]] FakeCompletion* new_completion() { return &completions.emplace_back(); }
};

/// What a call does if something else has already decided that it returns an error.
enum class OnRefusal {
  nothing,
  wait,    ///< waits all the same after asynchronous work has failed, so that work that is left has ended
  release  ///< gives back all the same
};

/// One call while it is served.
struct FakeCall {
  FakeState& state;
  std::unique_lock<std::mutex>& lock;  ///< held; waits unlock it
  cudaError_t refused;                 ///< what the call returns, whatever it does; cudaSuccess: nothing decided yet
};

/// Counts the call, lets it fail if a test or the state of the device wants that, serves it, and keeps its error for
/// cudaGetLastError(). Calls of several host threads are served one at a time; streams take no part in that.
cudaError_t serve(const char* name, OnRefusal on_refusal, const std::function<cudaError_t(FakeCall&)>& body);
/// The same for a call that needs no GPU.
cudaError_t serve_without_driver(const char* name, const std::function<cudaError_t(FakeCall&)>& body);

/// What is kept for each host thread.
struct FakeHostThread {
  cudaError_t last_error = cudaSuccess;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  int gpu = 0;  ///< that was set
};
[[nodiscard]] FakeHostThread& fake_host_thread();

/// Whether asynchronous work has failed, which nothing but a reset cures.
[[nodiscard]] bool fake_work_failed();

/// Hands a node to a stream: to its capture if it is capturing, else to its thread.
[[nodiscard]] cudaError_t submit(FakeState& state, cudaStream_t stream, FakeNode node);

/// For a call that captures can't see: cudaErrorStreamCaptureUnsupported if one forbids it, which also invalidates that
/// one.
[[nodiscard]] cudaError_t refuse_unsafe(FakeState& state);

/// Takes all of a capture's streams out of it.
void end_capture(FakeState& state, const std::shared_ptr<FakeCapture>& capture);

/// Waits until all streams of the calling thread's GPU are idle, in order with them or not.
void wait_for_all(FakeCall& call, bool ordered);

}  // namespace spillway
