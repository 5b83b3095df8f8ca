// What the fake captures, and what it refuses meanwhile.
#include <thread>
#include <vector>

#include "tests/device/cuda/fake_cuda_fixture.h"

namespace spillway {
namespace {

class FakeCaptures : public FakeCudaTest {
 protected:
  /// "a>b" for each edge, by the names of nodes.
  static std::vector<std::string> edges(cudaGraph_t graph) {
    std::vector<std::string> found;
    for (const auto& [from, to] : FakeCuda::edges(graph))
      found.push_back(FakeCuda::node_name(from) + ">" + FakeCuda::node_name(to));
    return found;
  }
  static void mark(cudaStream_t stream, const char* name) {
    launch(
        stream, [] {}, name);
  }
};

TEST_F(FakeCaptures, EndWithAGraphOfWhatStreamsAndEventsOrder) {
  const cudaStream_t side = new_stream(), third = new_stream();
  const cudaStream_t origin = new_capture();
  EXPECT_EQ(status(side), cudaStreamCaptureStatusNone);
  mark(origin, "a");
  order(origin, side);  // fork
  EXPECT_EQ(status(side), cudaStreamCaptureStatusActive);
  mark(origin, "b");
  mark(side, "c");
  order(side, third);
  mark(third, "d");
  mark(side, "e");
  order(third, origin);
  order(side, origin);  // join
  mark(origin, "f");
  const cudaGraph_t graph = end(origin);
  EXPECT_THAT(edges(graph), testing::UnorderedElementsAre("a>b", "a>c", "c>d", "c>e", "b>f", "d>f", "e>f"));
  for (const cudaStream_t stream : {origin, side, third}) EXPECT_EQ(status(stream), cudaStreamCaptureStatusNone);
  EXPECT_EQ(FakeCuda::last_graph(), graph);
}

TEST_F(FakeCaptures, RecordTheStreamAsItIsAtTheRecord) {
  const cudaStream_t side = new_stream(), origin = new_capture();
  const cudaEvent_t event = new_event();
  mark(origin, "a");
  EXPECT_EQ(cudaEventRecord(event, origin), cudaSuccess);
  mark(origin, "b");
  EXPECT_EQ(cudaStreamWaitEvent(side, event, 0), cudaSuccess);
  mark(side, "c");
  EXPECT_EQ(cudaEventRecord(event, side), cudaSuccess);  // the same event again
  EXPECT_EQ(cudaStreamWaitEvent(origin, event, 0), cudaSuccess);
  mark(origin, "d");
  EXPECT_THAT(edges(end(origin)), testing::UnorderedElementsAre("a>b", "a>c", "b>d", "c>d"));
}

TEST_F(FakeCaptures, RunNothing) {
  bool ran = false;
  auto* const memory = new_memory<unsigned char>(4);
  const cudaStream_t origin = new_capture();
  launch(origin, [&] { ran = true; });
  EXPECT_EQ(cudaMemsetAsync(memory, 0, 4, origin), cudaSuccess);
  static_cast<void>(end(origin));
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_FALSE(ran);
  EXPECT_EQ(memory[0], 0xff);
}

TEST_F(FakeCaptures, KeepTheKindOfEachNode) {
  char host[8];
  auto* const memory = new_memory(8);
  EXPECT_EQ(cudaHostRegister(host, 8, 0), cudaSuccess);
  const cudaStream_t origin = new_capture();
  mark(origin, "kernel");
  EXPECT_EQ(cudaMemsetAsync(memory, 0, 8, origin), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(host, memory, 8, cudaMemcpyDeviceToHost, origin), cudaSuccess);
  const auto nothing = [](void*) {};
  EXPECT_EQ(cudaLaunchHostFunc(origin, nothing, nullptr), cudaSuccess);
  EXPECT_EQ(cudaEventRecordWithFlags(new_event(), origin, cudaEventRecordExternal), cudaSuccess);
  const cudaGraph_t graph = end(origin);
  std::size_t count = 7;
  std::vector<cudaGraphNode_t> nodes(count);
  EXPECT_EQ(cudaGraphGetNodes(graph, nodes.data(), &count), cudaSuccess);
  ASSERT_EQ(count, 5U);
  EXPECT_EQ(nodes[5], nullptr);  // documented: the rest becomes null
  const cudaGraphNodeType expected[] = {cudaGraphNodeTypeKernel, cudaGraphNodeTypeMemset, cudaGraphNodeTypeMemcpy,
                                        cudaGraphNodeTypeHost, cudaGraphNodeTypeEventRecord};
  for (std::size_t i = 0; i < count; ++i) {
    cudaGraphNodeType type{};
    EXPECT_EQ(cudaGraphNodeGetType(nodes[i], &type), cudaSuccess);
    EXPECT_EQ(type, expected[i]);
  }
  EXPECT_EQ(FakeCuda::node_name(nodes[0]), "kernel");
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  cudaGraphNodeType type{};
  EXPECT_EQ(cudaGraphNodeGetType(nodes[0], &type), cudaErrorInvalidValue);
}

TEST_F(FakeCaptures, FailWhenAForkIsNotJoined) {
  for (const bool work_before : {false, true}) {
    for (const bool work_after : {false, true}) {
      const cudaStream_t side = new_stream(), origin = new_capture();
      order(origin, side);
      if (work_before) mark(side, "before");
      if (work_after) {
        order(side, origin);
        mark(side, "after");  // behind the join, so not joined
      }
      cudaGraph_t graph = nullptr;
      EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaErrorStreamCaptureUnjoined);
      EXPECT_EQ(graph, nullptr);
      EXPECT_EQ(status(side), cudaStreamCaptureStatusNone);
    }
  }
}

TEST_F(FakeCaptures, JoinThroughAnotherStreamToo) {
  const cudaStream_t side = new_stream(), third = new_stream(), origin = new_capture();
  order(origin, side);
  order(origin, third);
  mark(third, "a");
  order(third, side);
  order(side, origin);
  EXPECT_THAT(edges(end(origin)), testing::IsEmpty());
}

TEST_F(FakeCaptures, EndOnTheStreamAndThreadOfTheirBegin) {
  const cudaStream_t side = new_stream();
  cudaGraph_t graph = nullptr;
  cudaStream_t origin = new_capture();
  order(origin, side);
  EXPECT_EQ(cudaStreamEndCapture(side, &graph), cudaErrorStreamCaptureUnmatched);
  expect_invalidated(origin);
  origin = new_capture();
  std::thread([&] { EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaErrorStreamCaptureWrongThread); }).join();
  expect_invalidated(origin);
  origin = new_capture(cudaStreamCaptureModeRelaxed);
  std::thread([&] { EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaSuccess); }).join();
  EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaErrorIllegalState);
}

TEST_F(FakeCaptures, BeginOnceAndNotOnTheDefaultStream) {
  EXPECT_EQ(cudaStreamBeginCapture(nullptr, cudaStreamCaptureModeGlobal), cudaErrorStreamCaptureUnsupported);
  const cudaStream_t origin = new_capture();
  EXPECT_EQ(cudaStreamBeginCapture(origin, cudaStreamCaptureModeGlobal), cudaErrorIllegalState);
  expect_invalidated(origin);
  EXPECT_EQ(cudaStreamBeginCapture(origin, static_cast<cudaStreamCaptureMode>(3)), cudaErrorInvalidValue);
}

TEST_F(FakeCaptures, DependOnNothingOutside) {
  const cudaStream_t outside = new_stream();
  const cudaEvent_t before = new_event();
  EXPECT_EQ(cudaEventRecord(before, outside), cudaSuccess);
  for (const cudaEvent_t event : {before, new_event()}) {  // recorded outside, never recorded
    const cudaStream_t origin = new_capture();
    EXPECT_EQ(cudaStreamWaitEvent(origin, event, 0), cudaErrorStreamCaptureIsolation);
    EXPECT_EQ(cudaStreamWaitEvent(origin, event, 0), cudaErrorStreamCaptureInvalidated);
    fake_cuda_launch(
        origin, [] {}, "refused");
    EXPECT_EQ(cudaGetLastError(), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(cudaEventRecord(event, origin), cudaErrorStreamCaptureInvalidated);
    expect_invalidated(origin);
  }
}

TEST_F(FakeCaptures, AreNotMerged) {
  const cudaStream_t one = new_capture(), other = new_capture();
  const cudaEvent_t event = new_event();
  EXPECT_EQ(cudaEventRecord(event, one), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(other, event, 0), cudaErrorStreamCaptureMerge);
  EXPECT_EQ(cudaStreamWaitEvent(new_stream(), event, 0), cudaErrorInvalidValue);  // of an invalidated one
  expect_invalidated(one);
  expect_invalidated(other);
}

TEST_F(FakeCaptures, LeaveEventsThatStandForNothingUntilTheyAreRecordedAgain) {
  const cudaStream_t side = new_stream(), origin = new_capture();
  const cudaEvent_t event = new_event();
  EXPECT_EQ(cudaEventRecord(event, origin), cudaSuccess);
  static_cast<void>(end(origin));
  float milliseconds = 0;
  EXPECT_EQ(cudaStreamWaitEvent(side, event, 0), cudaErrorCapturedEvent);
  EXPECT_EQ(cudaEventQuery(event), cudaErrorCapturedEvent);
  EXPECT_EQ(cudaEventSynchronize(event), cudaErrorCapturedEvent);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, event, event), cudaErrorCapturedEvent);
  EXPECT_EQ(cudaEventRecord(event, side), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(event), cudaSuccess);
}

TEST_F(FakeCaptures, AreInvalidatedWithAStreamThatIsDestroyed) {
  const cudaStream_t side = new_stream();
  cudaStream_t origin = new_capture();
  order(origin, side);
  EXPECT_EQ(cudaStreamDestroy(side), cudaSuccess);
  expect_invalidated(origin);
  origin = new_capture();
  const cudaStream_t left = new_stream();
  order(origin, left);
  EXPECT_EQ(cudaStreamDestroy(origin), cudaSuccess);
  EXPECT_EQ(status(left), cudaStreamCaptureStatusNone);
}

TEST_F(FakeCaptures, FailWithoutAGraphWhenTheirEndIsMadeToFail) {
  const cudaStream_t origin = new_capture();
  FakeCuda::fail("cudaStreamEndCapture", 1, cudaErrorUnknown);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaErrorUnknown);
  EXPECT_EQ(graph, nullptr);
  EXPECT_EQ(status(origin), cudaStreamCaptureStatusNone);
}

struct Forbidden {
  const char* name;
  std::function<cudaError_t(cudaStream_t origin)> call;
  cudaError_t error = cudaErrorStreamCaptureUnsupported;
  bool always = false;  ///< even for a relaxed capture or thread
};

cudaError_t query_captured_event(cudaStream_t origin) {
  cudaEvent_t event = nullptr;
  EXPECT_EQ(cudaEventCreateWithFlags(&event, 0), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(event, origin), cudaSuccess);
  return cudaEventQuery(event);
}

char host_memory[64];  // lives as long as its registration

const std::vector<Forbidden> kForbidden = {
    {"Synchronise", [](cudaStream_t origin) { return cudaStreamSynchronize(origin); },
     cudaErrorStreamCaptureUnsupported, true},
    {"Query", [](cudaStream_t origin) { return cudaStreamQuery(origin); }, cudaErrorStreamCaptureUnsupported, true},
    {"DeviceSynchronise", [](cudaStream_t) { return cudaDeviceSynchronize(); }, cudaErrorStreamCaptureUnsupported,
     true},
    {"QueryCapturedEvent", query_captured_event, cudaErrorCapturedEvent, true},
    {"Malloc",
     [](cudaStream_t) {
       void* memory = nullptr;
       return cudaMalloc(&memory, 8);
     }},
    {"Free", [](cudaStream_t) { return cudaFree(nullptr); }},
    {"Register", [](cudaStream_t) { return cudaHostRegister(host_memory, sizeof host_memory, 0); }},
    {"SynchroniseAnother",
     [](cudaStream_t) {
       cudaStream_t other = nullptr;
       EXPECT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
       return cudaStreamSynchronize(other);
     }},
    {"QueryAnotherEvent",
     [](cudaStream_t) {
       cudaEvent_t event = nullptr;
       EXPECT_EQ(cudaEventCreateWithFlags(&event, 0), cudaSuccess);
       return cudaEventQuery(event);
     }},
};

class WhileCapturing : public FakeCudaTest, public testing::WithParamInterface<Forbidden> {
 protected:
  /// Makes the call while a capture of this mode goes on; from another thread if `elsewhere`, whose mode is `thread`.
  void try_it(cudaStreamCaptureMode capture, bool elsewhere, cudaStreamCaptureMode thread, bool is_refused) {
    FakeCuda::reset();
    const cudaStream_t origin = new_capture(capture);
    const auto call = [&] {
      cudaStreamCaptureMode mode = thread;
      EXPECT_EQ(cudaThreadExchangeStreamCaptureMode(&mode), cudaSuccess);
      EXPECT_EQ(GetParam().call(origin), is_refused ? GetParam().error : cudaSuccess);
      EXPECT_EQ(cudaThreadExchangeStreamCaptureMode(&mode), cudaSuccess);
    };
    if (elsewhere) {
      std::thread(call).join();
    } else {
      call();
    }
    if (is_refused) {
      expect_invalidated(origin);
    } else {
      static_cast<void>(end(origin));
    }
  }
};

TEST_P(WhileCapturing, IsForbiddenAsTheModesSay) {
  const auto global = cudaStreamCaptureModeGlobal, local = cudaStreamCaptureModeThreadLocal,
             relaxed = cudaStreamCaptureModeRelaxed;
  const bool always = GetParam().always;
  try_it(global, false, global, true);
  try_it(local, false, global, true);
  try_it(local, false, local, true);
  try_it(relaxed, false, global, always);
  try_it(local, false, relaxed, always);
  try_it(global, true, global, true);
  try_it(global, true, local, always);
  try_it(local, true, global, always);
  try_it(global, true, relaxed, always);
}

INSTANTIATE_TEST_SUITE_P(FakeCuda, WhileCapturing, testing::ValuesIn(kForbidden),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace spillway
