// Streams and events.
#include <array>
#include <memory>
#include <utility>

#include "tests/device/cuda/fake_cuda_runtime.h"

namespace spillway {
namespace {

/// Documented: a stream in a capture can't be waited for or asked, since its work isn't scheduled; trying invalidates
/// the capture.
cudaError_t refuse_captured(const FakeStream& stream) {
  if (stream.point.capture == nullptr) return cudaSuccess;
  if (stream.point.capture->invalidated) return cudaErrorStreamCaptureInvalidated;
  stream.point.capture->invalidated = true;
  return cudaErrorStreamCaptureUnsupported;
}

/// The same for an event that was last recorded in a capture, even after its end.
cudaError_t refuse_captured(const FakeEvent& event) {
  if (event.captured.capture == nullptr) return cudaSuccess;
  event.captured.capture->invalidated = true;
  return cudaErrorCapturedEvent;
}

/// For the calls that wait for or ask one stream or event: what must be refused before anything is touched.
template <class Object>
cudaError_t check(FakeState& state, Object* object) {
  if (object == nullptr) return cudaErrorInvalidResourceHandle;
  if (const cudaError_t error = refuse_captured(*object); error != cudaSuccess) return error;
  return refuse_unsafe(state);
}

/// What an asynchronous failure makes of a wait that went well.
cudaError_t outcome(const FakeState& state) {
  return state.failed.load(std::memory_order_relaxed) ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t record(FakeState& state, cudaEvent_t handle, cudaStream_t stream_handle, unsigned flags) {
  FakeEvent* const event = state.events.find(handle);
  FakeStream* const stream = state.streams.find(stream_handle);
  if (event == nullptr || stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (event->gpu != stream->gpu) return cudaErrorInvalidResourceHandle;  // documented
  if ((flags & ~unsigned{cudaEventRecordExternal}) != 0) return cudaErrorInvalidValue;
  const bool external = flags == cudaEventRecordExternal, capturing = stream->point.capture != nullptr;
  if (external && !capturing) return cudaErrorInvalidValue;  // documented: invalid outside of a capture
  if (external) {
    return submit(state, stream_handle,
                  {.type = cudaGraphNodeTypeEventRecord,
                   .name = "record",
                   .work = {},
                   .touched = {},
                   .recorded = handle,
                   .behind = {}});
  }
  if (capturing) {
    if (stream->point.capture->invalidated) return cudaErrorStreamCaptureInvalidated;
    event->captured = stream->point;
    return cudaSuccess;
  }
  event->captured = {};
  event->recorded = state.new_completion();
  stream->thread.push([completion = event->recorded] { completion->complete(); }, true);
  return cudaSuccess;
}

}  // namespace
}  // namespace spillway

using namespace spillway;

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return serve("cudaStreamCreateWithFlags", OnRefusal::nothing, [&](FakeCall& call) {
    if (stream == nullptr || (flags & ~unsigned{cudaStreamNonBlocking}) != 0) return cudaErrorInvalidValue;
    *stream = call.state.new_handle<cudaStream_t>();
    call.state.streams.add(
        *stream, std::make_unique<FakeStream>(call.state.calls.all(), fake_host_thread().gpu, call.state.failed));
    return cudaSuccess;
  });
}

// Documented: returns at once, and what is enqueued still runs. A capture that the stream is part of can't be ended
// well any more; without its origin it can't be ended at all.
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return serve("cudaStreamDestroy", OnRefusal::release, [&](FakeCall& call) {
    FakeStream* const stream = call.state.streams.find(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    if (const std::shared_ptr<FakeCapture> capture = stream->point.capture; capture != nullptr) {
      capture->invalidated = true;
      stream->point = {};
      if (capture->origin == handle) end_capture(call.state, capture);
    }
    stream->thread.finish();
    static_cast<void>(call.state.streams.erase(handle));
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return serve("cudaStreamSynchronize", OnRefusal::wait, [&](FakeCall& call) {
    FakeStream* const stream = call.state.streams.find(handle);
    if (const cudaError_t error = check(call.state, stream); error != cudaSuccess) return error;
    const std::uint64_t pushed = stream->thread.pushed();
    call.lock.unlock();
    stream->thread.wait(pushed);
    call.lock.lock();
    return outcome(call.state);
  });
}

cudaError_t cudaStreamQuery(cudaStream_t handle) {
  return serve("cudaStreamQuery", OnRefusal::nothing, [&](FakeCall& call) {
    FakeStream* const stream = call.state.streams.find(handle);
    if (const cudaError_t error = check(call.state, stream); error != cudaSuccess) return error;
    return stream->thread.completed(stream->thread.pushed()) ? outcome(call.state) : cudaErrorNotReady;
  });
}

// Documented: encompasses all streams of the thread's GPU, so it may not be called while any of them captures,
// whatever the mode.
cudaError_t cudaDeviceSynchronize() {
  return serve("cudaDeviceSynchronize", OnRefusal::wait, [&](FakeCall& call) {
    bool captures = false;
    for (const auto& [handle, stream] : call.state.streams.alive()) {
      if (stream->gpu != fake_host_thread().gpu || stream->point.capture == nullptr) continue;
      captures = stream->point.capture->invalidated = true;
    }
    if (captures) return cudaErrorStreamCaptureUnsupported;
    wait_for_all(call, true);
    return outcome(call.state);
  });
}

// Documented: an event for other processes must not be timed. (There are no other processes here: all of them are
// refused.)
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return serve("cudaEventCreateWithFlags", OnRefusal::nothing, [&](FakeCall& call) {
    if (event == nullptr || (flags & ~unsigned{cudaEventBlockingSync | cudaEventDisableTiming}) != 0)
      return cudaErrorInvalidValue;
    *event = call.state.new_handle<cudaEvent_t>();
    call.state.events.add(*event, std::make_unique<FakeEvent>(FakeEvent{.call = call.state.calls.all(),
                                                                        .gpu = fake_host_thread().gpu,
                                                                        .flags = flags,
                                                                        .recorded = nullptr,
                                                                        .captured = {}}));
    return cudaSuccess;
  });
}

// Documented: may be destroyed before it has completed, and doesn't wait.
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return serve("cudaEventDestroy", OnRefusal::release, [&](FakeCall& call) {
    return call.state.events.erase(event) ? cudaSuccess : cudaErrorInvalidResourceHandle;
  });
}

// Documented: what counts is the stream's contents at the call; a new record replaces the old one.
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return serve("cudaEventRecord", OnRefusal::nothing,
               [&](FakeCall& call) { return record(call.state, event, stream, cudaEventRecordDefault); });
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  return serve("cudaEventRecordWithFlags", OnRefusal::nothing,
               [&](FakeCall& call) { return record(call.state, event, stream, flags); });
}

// Documented: an event that was never recorded stands for no work, so it has completed.
cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return serve("cudaEventSynchronize", OnRefusal::wait, [&](FakeCall& call) {
    FakeEvent* const event = call.state.events.find(handle);
    if (const cudaError_t error = check(call.state, event); error != cudaSuccess) return error;
    FakeCompletion* const recorded = event->recorded;
    call.lock.unlock();
    if (recorded != nullptr) recorded->wait();
    call.lock.lock();
    return outcome(call.state);
  });
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return serve("cudaEventQuery", OnRefusal::nothing, [&](FakeCall& call) {
    FakeEvent* const event = call.state.events.find(handle);
    if (const cudaError_t error = check(call.state, event); error != cudaSuccess) return error;
    if (event->recorded != nullptr && !event->recorded->completed()) return cudaErrorNotReady;
    return outcome(call.state);
  });
}

// Documented: an invalid handle if either was never recorded or doesn't measure time, not ready if either hasn't
// completed. Of two captured events nothing is documented.
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to) {
  return serve("cudaEventElapsedTime", OnRefusal::nothing, [&](FakeCall& call) {
    if (milliseconds == nullptr) return cudaErrorInvalidValue;
    const std::array<FakeEvent*, 2> events{call.state.events.find(from), call.state.events.find(to)};
    for (const FakeEvent* const event : events) {
      if (event == nullptr || (event->flags & cudaEventDisableTiming) != 0) return cudaErrorInvalidResourceHandle;
      if (event->captured.capture != nullptr) return cudaErrorCapturedEvent;
      if (event->recorded == nullptr) return cudaErrorInvalidResourceHandle;
    }
    for (const FakeEvent* const event : events)
      if (!event->recorded->completed()) return cudaErrorNotReady;
    *milliseconds = static_cast<float>(1e3 * (events[1]->recorded->seconds() - events[0]->recorded->seconds()));
    return cudaSuccess;
  });
}

// Documented: waits for what was recorded last before this call; later records don't change that. Never recorded: for
// nothing.
cudaError_t cudaStreamWaitEvent(cudaStream_t stream_handle, cudaEvent_t event_handle, unsigned flags) {
  return serve("cudaStreamWaitEvent", OnRefusal::nothing, [&](FakeCall& call) {
    FakeStream* const stream = call.state.streams.find(stream_handle);
    FakeEvent* const event = call.state.events.find(event_handle);
    if (stream == nullptr || event == nullptr) return cudaErrorInvalidResourceHandle;
    if (flags == cudaEventWaitExternal) return cudaErrorNotSupported;
    if (flags != cudaEventWaitDefault) return cudaErrorInvalidValue;
    if (stream->point.capture != nullptr || event->captured.capture != nullptr)
      return join(stream_handle, stream->point, event->captured);
    if (event->recorded != nullptr) stream->thread.push([completion = event->recorded] { completion->wait(); }, true);
    return cudaSuccess;
  });
}

// Documented: isn't called once the device has failed, and may make no calls itself.
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* argument) {
  return serve("cudaLaunchHostFunc", OnRefusal::nothing, [&](FakeCall& call) {
    if (function == nullptr) return cudaErrorInvalidValue;
    return submit(call.state, stream,
                  {.type = cudaGraphNodeTypeHost,
                   .name = "host function",
                   .work = [=] { function(argument); },
                   .touched = {},
                   .recorded = nullptr,
                   .behind = {}});
  });
}
