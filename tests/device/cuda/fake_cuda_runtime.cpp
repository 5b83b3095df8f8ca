#include "tests/device/cuda/fake_cuda_runtime.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace spillway {
namespace {

/// The C interface has no object to hold this.
struct FakeRuntime {
  std::mutex mutex;
  std::unique_ptr<FakeState> state = std::make_unique<FakeState>();
};

FakeRuntime& runtime() {
  static FakeRuntime the_runtime;
  return the_runtime;
}

cudaError_t serve(const char* name, bool needs_driver, OnRefusal on_refusal,
                  const std::function<cudaError_t(FakeCall&)>& body) {
  if (on_fake_gpu()) return cudaErrorNotPermitted;  // documented for host functions; also keeps streams off the lock
  std::unique_lock lock(runtime().mutex);
  FakeState& state = *runtime().state;
  const cudaError_t injected = state.calls.add(name);
  const auto give = [](cudaError_t error) {
    if (error != cudaSuccess) fake_host_thread().last_error = error;
    return error;
  };
  if (injected != cudaSuccess && on_refusal != OnRefusal::release) return give(injected);
  if (needs_driver && state.no_driver) return give(cudaErrorInsufficientDriver);
  const bool failed = needs_driver && state.failed.load(std::memory_order_relaxed);
  if (failed && on_refusal == OnRefusal::nothing) return give(cudaErrorLaunchFailure);
  FakeCall call{.state = state, .lock = lock, .refused = injected};
  if (failed && injected == cudaSuccess) call.refused = cudaErrorLaunchFailure;
  const cudaError_t result = body(call);
  return give(call.refused != cudaSuccess ? call.refused : result);
}

template <class Handle, class Object>
void list(const char* what, const FakeHandles<Handle, Object>& handles, std::vector<std::string>& leaks) {
  for (const auto& [handle, object] : handles.alive())
    leaks.push_back(fmt::format("{} made by call {}", what, object->call));
}

}  // namespace

cudaError_t serve(const char* name, OnRefusal on_refusal, const std::function<cudaError_t(FakeCall&)>& body) {
  return serve(name, true, on_refusal, body);
}

cudaError_t serve_without_driver(const char* name, const std::function<cudaError_t(FakeCall&)>& body) {
  return serve(name, false, OnRefusal::nothing, body);
}

FakeHostThread& fake_host_thread() {
  thread_local FakeHostThread thread;
  return thread;
}

bool fake_work_failed() {
  const std::lock_guard lock(runtime().mutex);
  return runtime().state->failed.load(std::memory_order_relaxed);
}

cudaError_t submit(FakeState& state, cudaStream_t handle, FakeNode node) {
  FakeStream* const stream = state.streams.find(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (stream->point.capture == nullptr) {
    stream->thread.push(std::move(node.work));
    return cudaSuccess;
  }
  if (stream->point.capture->invalidated) return cudaErrorStreamCaptureInvalidated;
  append(std::move(node), handle, stream->point);
  return cudaSuccess;
}

cudaError_t refuse_unsafe(FakeState& state) {
  const std::vector<FakeCapture*> against = captures_against_unsafe_calls(state.captures, fake_host_thread().mode);
  for (FakeCapture* const capture : against) capture->invalidated = true;
  return against.empty() ? cudaSuccess : cudaErrorStreamCaptureUnsupported;
}

void wait_for_all(FakeCall& call, bool ordered) {
  std::vector<std::pair<FakeStreamThread*, std::uint64_t>> streams;
  for (const auto& stream : call.state.streams.all())
    if (stream->gpu == fake_host_thread().gpu) streams.emplace_back(&stream->thread, stream->thread.pushed());
  call.lock.unlock();
  for (const auto& [thread, pushed] : streams) {
    if (ordered) {
      thread->wait(pushed);
    } else {
      thread->wait_unordered(pushed);
    }
  }
  call.lock.lock();
}

void FakeCuda::reset() {
  auto fresh = std::make_unique<FakeState>();
  // The old state goes outside of the lock: its streams run what they still have.
  const std::unique_ptr<FakeState> old = [&] {
    const std::lock_guard lock(runtime().mutex);
    return std::exchange(runtime().state, std::move(fresh));
  }();
  fake_host_thread() = {};
}

void FakeCuda::forget_destroyed() {
  std::unique_lock lock(runtime().mutex);
  FakeState& state = *runtime().state;
  const auto events = state.events.take_erased();
  const auto graphs = state.graphs.take_erased();
  const auto executables = state.executables.take_erased();
  const auto streams = state.streams.take_erased();
  lock.unlock();  // the streams end outside of it, and before what they use
}

void FakeCuda::set_device(const FakeDevice& device) {
  const std::lock_guard lock(runtime().mutex);
  runtime().state->device = device;
}

void FakeCuda::no_driver(bool missing) {
  const std::lock_guard lock(runtime().mutex);
  runtime().state->no_driver = missing;
}

void FakeCuda::seed(std::uint64_t seed) {
  const std::lock_guard lock(runtime().mutex);
  runtime().state->seed = seed;
}

void FakeCuda::fail(const std::string& name, std::uint64_t nth, cudaError_t error) {
  const std::lock_guard lock(runtime().mutex);
  runtime().state->calls.fail(name, nth, error);
}

void FakeCuda::fail_nth_call(std::uint64_t nth, cudaError_t error) {
  fail("", nth, error);
}

std::string FakeCuda::failed_call() {
  const std::lock_guard lock(runtime().mutex);
  return runtime().state->calls.failed();
}

std::uint64_t FakeCuda::calls() {
  const std::lock_guard lock(runtime().mutex);
  return runtime().state->calls.all();
}

std::uint64_t FakeCuda::calls(const std::string& name) {
  const std::lock_guard lock(runtime().mutex);
  return runtime().state->calls.of(name);
}

std::vector<std::string> FakeCuda::leaks() {
  const std::lock_guard lock(runtime().mutex);
  const FakeState& state = *runtime().state;
  std::vector<std::string> leaks = state.memory.leaks();
  list("stream", state.streams, leaks);
  list("event", state.events, leaks);
  list("graph", state.graphs, leaks);
  list("executable graph", state.executables, leaks);
  for (std::size_t i = 0; i < state.captures.size(); ++i) leaks.emplace_back("capture that wasn't ended");
  return leaks;
}

cudaGraph_t FakeCuda::last_graph() {
  const std::lock_guard lock(runtime().mutex);
  const FakeState& state = *runtime().state;
  return state.graphs.find(state.last_graph) == nullptr ? nullptr : state.last_graph;
}

std::string FakeCuda::node_name(cudaGraphNode_t node) {
  const std::lock_guard lock(runtime().mutex);
  const FakeState& state = *runtime().state;
  const auto& [graph, index] = state.nodes.at(node);
  return state.graphs.find(graph)->nodes[index].name;
}

std::vector<std::pair<cudaGraphNode_t, cudaGraphNode_t>> FakeCuda::edges(cudaGraph_t graph) {
  const std::lock_guard lock(runtime().mutex);
  const FakeGraph* const found = runtime().state->graphs.find(graph);
  SPILLWAY_CHECK(found != nullptr, "a destroyed graph has no edges");
  std::vector<std::pair<cudaGraphNode_t, cudaGraphNode_t>> edges;
  for (std::size_t node = 0; node < found->nodes.size(); ++node)
    for (const std::size_t earlier : found->nodes[node].behind)
      edges.emplace_back(found->handles[earlier], found->handles[node]);
  return edges;
}

}  // namespace spillway
