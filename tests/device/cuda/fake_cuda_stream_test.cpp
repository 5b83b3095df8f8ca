// Streams and events of the fake.
#include <atomic>
#include <latch>
#include <thread>

#include "tests/device/cuda/fake_cuda_fixture.h"

namespace spillway {
namespace {

/// Holds a stream until it is opened.
class Gate {
 public:
  void operator()() { latch_.wait(); }
  void open() { latch_.count_down(); }

 private:
  std::latch latch_{1};
};

class FakeStreams : public FakeCudaTest {};

TEST_F(FakeStreams, RunTheirWorkInOrderBesideEachOther) {
  const cudaStream_t one = new_stream(), other = new_stream();
  Gate gate;
  std::string order;
  launch(one, [&] { gate(); });  // opened by the other stream: only if both run at once does this end
  launch(one, [&] { order += 'a'; });
  launch(one, [&] { order += 'b'; });
  launch(other, [&] { gate.open(); });
  EXPECT_EQ(cudaStreamSynchronize(one), cudaSuccess);
  EXPECT_EQ(order, "ab");
}

TEST_F(FakeStreams, TellWhetherTheyAreIdle) {
  const cudaStream_t stream = new_stream();
  Gate gate;
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
  launch(stream, [&] { gate(); });
  EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
  gate.open();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
}

TEST_F(FakeStreams, AreDestroyedOnceAndStillRunWhatTheyHave) {
  const cudaStream_t stream = new_stream();
  Gate gate;
  std::atomic<bool> ran = false;
  launch(stream, [&] { gate(); });
  launch(stream, [&] { ran = true; });
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_FALSE(ran);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamQuery(stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(new_event(), stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamWaitEvent(stream, new_event(), 0), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), cudaErrorInvalidResourceHandle);
  EXPECT_NE(new_stream(), stream);
  gate.open();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  EXPECT_TRUE(ran);
}

TEST_F(FakeStreams, RefuseTheDefaultStreamAndUnknownFlags) {
  cudaStream_t stream = nullptr;
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamCreateWithFlags(&stream, 8), cudaErrorInvalidValue);
  EXPECT_EQ(cudaStreamCreateWithFlags(nullptr, 0), cudaErrorInvalidValue);
}

TEST_F(FakeStreams, FreeingWaitsForWork) {
  const cudaStream_t stream = new_stream();
  auto* const memory = new_memory(64);
  Gate gate;
  launch(stream, [&] { gate(); });
  launch(stream, [=] { memory[0] = 1; });
  std::jthread opener([&] { gate.open(); });
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaStreamQuery(stream), cudaSuccess);
}

class FakeEvents : public FakeCudaTest {};

TEST_F(FakeEvents, RecordWhatTheStreamHoldsAtTheCall) {
  const cudaStream_t stream = new_stream();
  const cudaEvent_t event = new_event();
  Gate first, second;
  launch(stream, [&] { first(); });
  EXPECT_EQ(cudaEventRecord(event, stream), cudaSuccess);
  launch(stream, [&] { second(); });
  EXPECT_EQ(cudaEventQuery(event), cudaErrorNotReady);
  first.open();
  EXPECT_EQ(cudaEventSynchronize(event), cudaSuccess);  // though the stream isn't idle
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
  EXPECT_EQ(cudaStreamQuery(stream), cudaErrorNotReady);
  second.open();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);  // gates outlive what waits at them
}

TEST_F(FakeEvents, HoldAStreamUntilWhatWasRecordedBeforeTheWait) {
  const cudaStream_t earlier = new_stream(), later = new_stream();
  const cudaEvent_t event = new_event();
  Gate first, second;
  int value = 0, seen = 0;
  launch(earlier, [&] { first(), value = 1; });
  EXPECT_EQ(cudaEventRecord(event, earlier), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(later, event, 0), cudaSuccess);
  launch(later, [&] { seen = value; });
  launch(earlier, [&] { second(); });
  EXPECT_EQ(cudaEventRecord(event, earlier), cudaSuccess);  // doesn't concern the wait before
  EXPECT_EQ(cudaStreamQuery(later), cudaErrorNotReady);
  first.open();
  EXPECT_EQ(cudaStreamSynchronize(later), cudaSuccess);
  EXPECT_EQ(seen, 1);
  second.open();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);  // gates outlive what waits at them
}

TEST_F(FakeEvents, NeverRecordedStandForNoWork) {
  const cudaStream_t stream = new_stream();
  const cudaEvent_t event = new_event();
  EXPECT_EQ(cudaEventQuery(event), cudaSuccess);
  EXPECT_EQ(cudaEventSynchronize(event), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(stream, event, 0), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
}

TEST_F(FakeEvents, MeasureTimeBetweenTwoThatHaveCompleted) {
  const cudaStream_t stream = new_stream();
  const cudaEvent_t from = new_event(), to = new_event(), untimed = new_event(cudaEventDisableTiming);
  float milliseconds = -1;
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, from, to), cudaErrorInvalidResourceHandle);  // never recorded
  EXPECT_EQ(cudaEventRecord(from, stream), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, from, to), cudaErrorInvalidResourceHandle);
  Gate gate;
  launch(stream, [&] { gate(); });
  EXPECT_EQ(cudaEventRecord(to, stream), cudaSuccess);
  EXPECT_EQ(cudaEventRecord(untimed, stream), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, from, to), cudaErrorNotReady);
  gate.open();
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, from, untimed), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventElapsedTime(nullptr, from, to), cudaErrorInvalidValue);
  EXPECT_EQ(milliseconds, -1);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, from, to), cudaSuccess);
  EXPECT_GE(milliseconds, 0);
  float backwards = 0;
  EXPECT_EQ(cudaEventElapsedTime(&backwards, to, from), cudaSuccess);
  EXPECT_EQ(backwards, -milliseconds);
}

TEST_F(FakeEvents, AreDestroyedOnceAndBeforeTheyComplete) {
  const cudaStream_t stream = new_stream(), waiting = new_stream();
  const cudaEvent_t event = new_event();
  Gate gate;
  int value = 0, seen = 0;
  launch(stream, [&] { gate(), value = 1; });
  EXPECT_EQ(cudaEventRecord(event, stream), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(waiting, event, 0), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
  launch(waiting, [&] { seen = value; });
  EXPECT_EQ(cudaEventDestroy(event), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventDestroy(nullptr), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecord(event, stream), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventQuery(event), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventSynchronize(event), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamWaitEvent(waiting, event, 0), cudaErrorInvalidResourceHandle);
  gate.open();
  EXPECT_EQ(cudaStreamSynchronize(waiting), cudaSuccess);
  EXPECT_EQ(seen, 1);
}

TEST_F(FakeEvents, RefuseUnknownFlags) {
  cudaEvent_t event = nullptr;
  EXPECT_EQ(cudaEventCreateWithFlags(&event, 64), cudaErrorInvalidValue);
  event = new_event(cudaEventBlockingSync);
  const cudaStream_t stream = new_stream();
  EXPECT_EQ(cudaEventRecordWithFlags(event, stream, 2), cudaErrorInvalidValue);
  EXPECT_EQ(cudaEventRecordWithFlags(event, stream, cudaEventRecordExternal), cudaErrorInvalidValue);  // no capture
  EXPECT_EQ(cudaEventRecordWithFlags(event, stream, cudaEventRecordDefault), cudaSuccess);
  EXPECT_EQ(cudaStreamWaitEvent(stream, event, cudaEventWaitExternal), cudaErrorNotSupported);
  EXPECT_EQ(cudaStreamWaitEvent(stream, event, 2), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace spillway
