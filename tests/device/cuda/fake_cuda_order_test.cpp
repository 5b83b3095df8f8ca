// That the fake orders what CUDA orders and nothing more, in ThreadSanitizer's eyes: each order that a program may lack
// is a race that gets reported, though the fake's own threads meet all the time.
#include <cstdlib>

#include "device/cpu/thread_sanitizer.h"
#include "tests/device/cuda/fake_cuda_fixture.h"

namespace spillway {
namespace {

int shared_value = 0;

struct Order {
  const char* name;
  std::function<void(bool is_there)> run;
};

/// What every program here needs; part of the fixture for its functions.
class Programs : public FakeCudaTest {
 public:
  static void write(cudaStream_t stream) {
    launch(stream, [] { ++shared_value; });
  }
  static void two_streams(bool is_there) {
    const cudaStream_t one = new_stream(), other = new_stream();
    write(one);
    if (is_there) order(one, other);
    write(other);
  }
  static void snapshot(bool is_there) {
    const cudaStream_t one = new_stream(), other = new_stream();
    const cudaEvent_t event = new_event();
    if (is_there) write(one);
    EXPECT_EQ(cudaEventRecord(event, one), cudaSuccess);
    if (!is_there) write(one);
    EXPECT_EQ(cudaStreamWaitEvent(other, event, 0), cudaSuccess);
    write(other);
  }
  static void host_behind_stream(bool is_there) {
    const cudaStream_t stream = new_stream();
    write(stream);
    if (is_there) {
      EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    }
    ++shared_value;
  }
  static void host_behind_event(bool is_there) {
    const cudaStream_t stream = new_stream();
    const cudaEvent_t event = new_event();
    write(stream);
    EXPECT_EQ(cudaEventRecord(event, stream), cudaSuccess);
    if (is_there) {
      EXPECT_EQ(cudaEventSynchronize(event), cudaSuccess);
    }
    ++shared_value;
  }
  static void host_before_launch(bool is_there) {
    const cudaStream_t stream = new_stream();
    if (is_there) ++shared_value;
    write(stream);
    launch(stream, [] {});
    if (!is_there) ++shared_value;
    launch(stream, [] {});
  }
  static void other_calls(bool is_there) {
    const cudaStream_t stream = new_stream(), other = new_stream();
    auto* const memory = new_memory(64);
    write(stream);
    // None of these waits for the stream; freeing does, but that isn't promised.
    for (int i = 0; i < 50; ++i) order(stream, other);
    EXPECT_EQ(cudaStreamDestroy(new_stream()), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(new_stream()), cudaSuccess);
    EXPECT_EQ(cudaFree(memory), cudaSuccess);
    // The other one is behind it by the events.
    if (is_there) {
      EXPECT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    }
    ++shared_value;
  }
  static void copy_to_host(bool is_there) {
    static char host[64];
    const cudaStream_t stream = new_stream();
    auto* const memory = new_memory(64);
    EXPECT_EQ(cudaMemsetAsync(memory, 0, 64, stream), cudaSuccess);
    EXPECT_EQ(cudaHostRegister(host, 64, 0), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(host, memory, 64, cudaMemcpyDeviceToHost, stream), cudaSuccess);
    if (is_there) {
      EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    }
    host[63] = 1;
    EXPECT_EQ(cudaHostUnregister(host), cudaSuccess);
  }
  static void graph_edge(bool is_there) {
    const cudaStream_t origin = new_capture(), side = new_stream();
    order(origin, side);
    write(origin);
    if (is_there) order(origin, side);
    write(side);
    order(side, origin);
    const cudaGraphExec_t graph = executable(end(origin));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(cudaGraphLaunch(graph, origin), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(origin), cudaSuccess);
  }
  static void graph_beside_stream(bool is_there) {
    const cudaStream_t origin = new_capture(), other = new_stream();
    write(origin);
    const cudaGraphExec_t graph = executable(end(origin));
    write(other);
    if (is_there) order(other, origin);
    EXPECT_EQ(cudaGraphLaunch(graph, origin), cudaSuccess);
  }
  static void graph_record(bool is_there) {
    const cudaStream_t origin = new_capture();
    const cudaEvent_t event = new_event();
    if (is_there) write(origin);
    EXPECT_EQ(cudaEventRecordWithFlags(event, origin, cudaEventRecordExternal), cudaSuccess);
    if (!is_there) write(origin);
    const cudaGraphExec_t graph = executable(end(origin));
    EXPECT_EQ(cudaGraphLaunch(graph, origin), cudaSuccess);
    EXPECT_EQ(cudaEventSynchronize(event), cudaSuccess);
    ++shared_value;
  }
  void TestBody() override {}
};

class FakeOrder : public testing::TestWithParam<Order> {};

TEST_P(FakeOrder, IsReportedWhenItIsMissing) {
#ifndef SPILLWAY_THREAD_SANITIZER
  GTEST_SKIP() << "needs a build with ThreadSanitizer";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr int kReported = 66;  // ThreadSanitizer's exit status
  EXPECT_EXIT((GetParam().run(false), std::exit(0)), testing::ExitedWithCode(kReported), "data race");
  EXPECT_EXIT((GetParam().run(true), std::exit(0)), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(FakeCuda, FakeOrder,
                         testing::Values(Order{"TwoStreams", &Programs::two_streams},
                                         Order{"SnapshotOfAStream", &Programs::snapshot},
                                         Order{"HostBehindStream", &Programs::host_behind_stream},
                                         Order{"HostBehindEvent", &Programs::host_behind_event},
                                         Order{"HostBeforeLaunch", &Programs::host_before_launch},
                                         Order{"OtherCalls", &Programs::other_calls},
                                         Order{"CopyToHost", &Programs::copy_to_host},
                                         Order{"GraphEdge", &Programs::graph_edge},
                                         Order{"GraphBesideStream", &Programs::graph_beside_stream},
                                         Order{"GraphRecord", &Programs::graph_record}),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace spillway
