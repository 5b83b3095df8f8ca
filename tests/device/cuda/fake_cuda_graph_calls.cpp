// Capture and graphs.
#include <algorithm>
#include <memory>
#include <utility>

#include "tests/device/cuda/fake_cuda_runtime.h"

namespace spillway {

void end_capture(FakeState& state, const std::shared_ptr<FakeCapture>& capture) {
  capture->ended = true;
  for (const auto& [handle, stream] : state.streams.alive())
    if (stream->point.capture == capture) stream->point = {};
  std::erase(state.captures, capture);
}

namespace {

bool is_mode(cudaStreamCaptureMode mode) {
  return mode == cudaStreamCaptureModeGlobal || mode == cudaStreamCaptureModeThreadLocal ||
         mode == cudaStreamCaptureModeRelaxed;
}

cudaGraph_t add_graph(FakeState& state, std::vector<FakeNode> nodes) {
  const auto handle = state.new_handle<cudaGraph_t>();
  FakeGraph& graph = state.graphs.add(
      handle,
      std::make_unique<FakeGraph>(FakeGraph{.call = state.calls.all(), .nodes = std::move(nodes), .handles = {}}));
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    graph.handles.push_back(state.new_handle<cudaGraphNode_t>());
    state.nodes.emplace(graph.handles.back(), std::pair{handle, node});
  }
  return handle;
}

/// The memory and the events that a graph was captured with must still be there. CUDA leaves that to the program.
bool still_there(const FakeState& state, const std::vector<FakeNode>& nodes) {
  return std::ranges::all_of(nodes, [&](const FakeNode& node) {
    return (node.recorded == nullptr || state.events.find(node.recorded) != nullptr) &&
           std::ranges::all_of(node.touched, [&](const FakeNode::Touched& touched) {
             return state.memory.where(touched.memory, touched.size) == touched.where;
           });
  });
}

/// Documented: behind what is in the stream and behind the executable's last launch; then one item of the stream.
/// Documented of record nodes: each launch records the event. It is recorded as of this call, as by cudaEventRecord.
cudaError_t launch(FakeState& state, FakeGraphExec& executable, FakeStream& stream) {
  std::vector<FakeCompletion*> records(executable.nodes.size(), nullptr);
  for (std::size_t node = 0; node < executable.nodes.size(); ++node) {
    if (executable.nodes[node].recorded == nullptr) continue;
    FakeEvent& event = *state.events.find(executable.nodes[node].recorded);
    event.captured = {};
    records[node] = event.recorded = state.new_completion();
  }
  FakeCompletion* const before = executable.launched;
  executable.launched = state.new_completion();
  stream.thread.push(
      [&executable, &failed = state.failed, records = std::move(records), seed = state.seed++, before,
       completed = executable.launched] {
        if (before != nullptr) before->wait();
        run({.nodes = executable.nodes,
             .chains = executable.chains,
             .records = records,
             .seed = seed,
             .failed = failed});
        completed->complete();
      },
      true);
  return cudaSuccess;
}

}  // namespace
}  // namespace spillway

using namespace spillway;

// Documented: not on the default stream, nor on a stream that is capturing.
cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  return serve("cudaStreamBeginCapture", OnRefusal::nothing, [&](FakeCall& call) {
    if (!is_mode(mode)) return cudaErrorInvalidValue;
    if (handle == nullptr) return cudaErrorStreamCaptureUnsupported;
    FakeStream* const stream = call.state.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (stream->point.capture != nullptr) {
      stream->point.capture->invalidated = true;
      return cudaErrorIllegalState;
    }
    auto capture = std::make_shared<FakeCapture>();
    capture->origin = handle;
    capture->mode = mode;
    capture->thread = std::this_thread::get_id();
    stream->point = {.capture = capture, .behind = {}, .progress = {}};
    call.state.captures.push_back(std::move(capture));
    return cudaSuccess;
  });
}

// Documented: on the stream of the begin, else unmatched; unless relaxed by the thread of the begin, else wrong thread;
// all forked streams joined to it, else unjoined; null for a capture that was invalidated. An error of the latter two
// kinds ends the capture.
cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  return serve("cudaStreamEndCapture", OnRefusal::release, [&](FakeCall& call) {
    if (graph == nullptr) return cudaErrorInvalidValue;
    *graph = nullptr;
    FakeStream* const stream = call.state.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const std::shared_ptr<FakeCapture> capture = stream->point.capture;
    if (capture == nullptr) return cudaErrorIllegalState;
    if (capture->origin != handle) {
      capture->invalidated = true;
      return cudaErrorStreamCaptureUnmatched;
    }
    if (capture->mode != cudaStreamCaptureModeRelaxed && capture->thread != std::this_thread::get_id()) {
      capture->invalidated = true;
      return cudaErrorStreamCaptureWrongThread;
    }
    const bool all_joined = joined(stream->point);
    end_capture(call.state, capture);
    if (capture->invalidated) return cudaErrorStreamCaptureInvalidated;
    if (!all_joined) return cudaErrorStreamCaptureUnjoined;
    if (call.refused != cudaSuccess) return call.refused;
    *graph = call.state.last_graph = add_graph(call.state, std::move(capture->nodes));
    return cudaSuccess;
  });
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  return serve("cudaStreamIsCapturing", OnRefusal::nothing, [&](FakeCall& call) {
    if (status == nullptr) return cudaErrorInvalidValue;
    const FakeStream* const stream = call.state.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    const FakeCapture* const capture = stream->point.capture.get();
    *status = capture == nullptr     ? cudaStreamCaptureStatusNone
              : capture->invalidated ? cudaStreamCaptureStatusInvalidated
                                     : cudaStreamCaptureStatusActive;
    return cudaSuccess;
  });
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  return serve("cudaThreadExchangeStreamCaptureMode", OnRefusal::nothing, [&](FakeCall&) {
    if (mode == nullptr || !is_mode(*mode)) return cudaErrorInvalidValue;
    std::swap(*mode, fake_host_thread().mode);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* handle, cudaGraph_t graph_handle, unsigned long long flags) {
  return serve("cudaGraphInstantiate", OnRefusal::nothing, [&](FakeCall& call) {
    const FakeGraph* const graph = call.state.graphs.find(graph_handle);
    if (handle == nullptr || graph == nullptr) return cudaErrorInvalidValue;
    // The others are about memory nodes and launches from the GPU.
    if ((flags & ~static_cast<unsigned long long>(cudaGraphInstantiateFlagUseNodePriority)) != 0)
      return cudaErrorInvalidValue;
    *handle = call.state.new_handle<cudaGraphExec_t>();
    call.state.executables.add(*handle, std::make_unique<FakeGraphExec>(FakeGraphExec{.call = call.state.calls.all(),
                                                                                      .nodes = graph->nodes,
                                                                                      .chains = chains_of(graph->nodes),
                                                                                      .launched = nullptr}));
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream_handle) {
  return serve("cudaGraphLaunch", OnRefusal::nothing, [&](FakeCall& call) {
    FakeGraphExec* const executable = call.state.executables.find(handle);
    FakeStream* const stream = call.state.streams.find(stream_handle);
    if (executable == nullptr) return cudaErrorInvalidValue;
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (FakeCapture* const capture = stream->point.capture.get(); capture != nullptr) {
      return std::exchange(capture->invalidated, true) ? cudaErrorStreamCaptureInvalidated
                                                       : cudaErrorStreamCaptureUnsupported;
    }
    if (!still_there(call.state, executable->nodes)) return cudaErrorInvalidValue;
    return launch(call.state, *executable, *stream);
  });
}

// Documented: with all of its nodes. Executables made from it are copies.
cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
  return serve("cudaGraphDestroy", OnRefusal::release, [&](FakeCall& call) {
    const FakeGraph* const graph = call.state.graphs.find(handle);
    if (graph == nullptr) return cudaErrorInvalidValue;
    for (const cudaGraphNode_t node : graph->handles) call.state.nodes.erase(node);
    static_cast<void>(call.state.graphs.erase(handle));
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
  return serve("cudaGraphExecDestroy", OnRefusal::release, [&](FakeCall& call) {
    return call.state.executables.erase(handle) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

// Documented: without an array only the number; entries beyond what there is become null.
cudaError_t cudaGraphGetNodes(cudaGraph_t handle, cudaGraphNode_t* nodes, size_t* count) {
  return serve("cudaGraphGetNodes", OnRefusal::nothing, [&](FakeCall& call) {
    const FakeGraph* const graph = call.state.graphs.find(handle);
    if (graph == nullptr || count == nullptr) return cudaErrorInvalidValue;
    const std::size_t given = nodes == nullptr ? graph->handles.size() : std::min(*count, graph->handles.size());
    if (nodes != nullptr) std::fill(std::copy_n(graph->handles.begin(), given, nodes), nodes + *count, nullptr);
    *count = given;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t handle, cudaGraphNodeType* type) {
  return serve("cudaGraphNodeGetType", OnRefusal::nothing, [&](FakeCall& call) {
    const auto node = call.state.nodes.find(handle);
    if (node == call.state.nodes.end() || type == nullptr) return cudaErrorInvalidValue;
    *type = call.state.graphs.find(node->second.first)->nodes[node->second.second].type;
    return cudaSuccess;
  });
}
