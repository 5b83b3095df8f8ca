// That ThreadSanitizer reports a wait which a schedule lacks, though it sees neither into oneDNN nor that two streams
// share a thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "device/cpu/device.h"
#include "device/cpu/thread_sanitizer.h"
#include "tests/device/device_fixture.h"

namespace spillway {
namespace {

enum class Pair { op_then_swap_out, swap_in_then_op, swap_out_then_swap_in, swap_in_then_swap_out };

/// Two streams touch the same arena bytes, at least one writing, in this order if `with_wait`.
void touch_twice(Pair pair, bool with_wait) {
  const auto device = make_cpu_device({});
  Rig rig(*device);
  const OpDescription op = add(1000);
  const KernelId kernel = device->prepare(op, device->kernels(op).front().id);
  const std::vector<Bytes> inputs{0_B, 64_KiB}, outputs{128_KiB};
  const auto run_op = [&] {
    device->enqueue_op(rig.compute, kernel, {.inputs = inputs, .outputs = outputs, .workspace = 1_MiB});
  };
  const auto order = [&](StreamId earlier, StreamId later) {
    if (with_wait) rig.order(earlier, later);
  };
  switch (pair) {
    case Pair::op_then_swap_out:
      run_op();
      order(rig.compute, rig.swap_out);
      device->enqueue_swap_out(rig.swap_out, 128_KiB, 0_B, 4000_B);
      break;
    case Pair::swap_in_then_op:
      device->enqueue_swap_in(rig.swap_in, 0_B, 64_KiB, 4000_B);
      order(rig.swap_in, rig.compute);
      run_op();
      break;
    case Pair::swap_out_then_swap_in:
      device->enqueue_swap_out(rig.swap_out, 0_B, 0_B, 4000_B);
      order(rig.swap_out, rig.swap_in);
      device->enqueue_swap_in(rig.swap_in, 1_MiB, 0_B, 4000_B);
      break;
    case Pair::swap_in_then_swap_out:
      device->enqueue_swap_in(rig.swap_in, 1_MiB, 0_B, 4000_B);
      order(rig.swap_in, rig.swap_out);
      device->enqueue_swap_out(rig.swap_out, 0_B, 0_B, 4000_B);
      break;
  }
  rig.finish_all();
}

class MissingWait : public testing::TestWithParam<Pair> {};

TEST_P(MissingWait, IsReported) {
#ifndef SPILLWAY_THREAD_SANITIZER
  GTEST_SKIP() << "needs a build with ThreadSanitizer";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr int kReported = 66;  // ThreadSanitizer's exit status
  EXPECT_EXIT((touch_twice(GetParam(), false), std::exit(0)), testing::ExitedWithCode(kReported), "data race");
  EXPECT_EXIT((touch_twice(GetParam(), true), std::exit(0)), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Cpu, MissingWait,
                         testing::Values(Pair::op_then_swap_out, Pair::swap_in_then_op, Pair::swap_out_then_swap_in,
                                         Pair::swap_in_then_swap_out));

}  // namespace
}  // namespace spillway
