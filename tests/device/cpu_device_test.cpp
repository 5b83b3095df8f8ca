#include "device/cpu/device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "core/error.h"
#include "device/cpu/thread_sanitizer.h"
#include "tests/device/device_fixture.h"

namespace spillway {
namespace {

using testing::MatchesRegex;

// Times are checked from below only: how late a copy completes is the machine's affair, how early isn't.

/// Seconds from before the first of `copies` was enqueued to the end of the last.
template <class Copies>
Seconds time_of(Rig& rig, Copies copies) {
  const EventId before = rig.device.create_event(), out = rig.device.create_event(), in = rig.device.create_event();
  rig.device.enqueue_record(rig.compute, before, 1);
  rig.device.wait(before, 1);
  copies();
  rig.device.enqueue_record(rig.swap_out, out, 1);
  rig.device.enqueue_record(rig.swap_in, in, 1);
  rig.device.wait(out, 1);
  rig.device.wait(in, 1);
  return std::max(rig.device.time_of(out), rig.device.time_of(in)) - rig.device.time_of(before);
}

TEST(CpuDevice, CopyTakesAtLeastItsBytesOverTheLinksRate) {
  const auto device = make_device(parse_device("cpu:in=0.1GB/s,out=0.2GB/s"));
  Rig rig(*device, 8_MiB, 8_MiB);
  // 8388608 B / 0.1e9 B/s = 83.9 ms, and half that outwards.
  EXPECT_GE(time_of(rig, [&] { device->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 8_MiB); }).value, 0.083886);
  EXPECT_GE(time_of(rig, [&] { device->enqueue_swap_out(rig.swap_out, 0_B, 0_B, 8_MiB); }).value, 0.041943);
}

TEST(CpuDevice, CopiesOfOneStreamTakeTheirTimesOneAfterTheOther) {
  const auto device = make_device(parse_device("cpu:link=0.1GB/s"));
  Rig rig(*device);
  // 16 copies of 262144 B at 0.1e9 B/s: 41.9 ms.
  EXPECT_GE(time_of(rig,
                    [&] {
                      for (int i = 0; i < 16; ++i) device->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 256_KiB);
                    })
                .value,
            0.041943);
}

TEST(CpuDevice, TwoStreamsOfOneDirectionShareItsLink) {
  const auto device = make_device(parse_device("cpu:link=0.1GB/s"));
  Rig rig(*device);
  const StreamId second = device->create_stream(StreamRole::swap_in, 8);
  // 2 x 2097152 B at 0.1e9 B/s together: 41.9 ms.
  EXPECT_GE(time_of(rig,
                    [&] {
                      device->enqueue_swap_in(second, 0_B, 0_B, 2_MiB);
                      device->enqueue_swap_in(rig.swap_in, 2_MiB, 2_MiB, 2_MiB);
                      rig.order(second, rig.swap_in);
                    })
                .value,
            0.041943);
}

TEST(CpuDevice, BothDirectionsTogetherKeepTheirCap) {
  const auto device = make_device(parse_device("cpu:link=0.1GB/s,both=0.1GB/s"));
  Rig rig(*device);
  // 2 x 2097152 B through 0.1e9 B/s: 41.9 ms; each alone would take 21.0 ms.
  EXPECT_GE(time_of(rig,
                    [&] {
                      device->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 2_MiB);
                      device->enqueue_swap_out(rig.swap_out, 2_MiB, 2_MiB, 2_MiB);
                    })
                .value,
            0.0419);  // less 40 us: the first may run alone until the second is enqueued
}

TEST(CpuDevice, EachCopyStartsLate) {
  const auto device = make_device(parse_device("cpu:start=5ms"));
  Rig rig(*device);
  EXPECT_GE(time_of(rig,
                    [&] {
                      for (int i = 0; i < 6; ++i) device->enqueue_swap_out(rig.swap_out, 0_B, 0_B, 1_B);
                    })
                .value,
            0.030);
}

TEST(CpuDevice, RateThatTheMachineCannotHoldIsRefused) {
#ifdef SPILLWAY_THREAD_SANITIZER
  GTEST_SKIP() << "no rate is refused under ThreadSanitizer";
#endif
  for (const std::string text : {"cpu:link=100000GB/s", "cpu:in=1GB/s,out=100000GB/s", "cpu:both=100000GB/s"}) {
    SCOPED_TRACE(text);
    try {
      static_cast<void>(make_device(parse_device(text)));
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::machine);
      EXPECT_THAT(error.what(),
                  MatchesRegex("--device cpu:.*=100000GB/s: this machine copies [0-9.]+ [MGT]B/s, in and out together; "
                               "ask for at most that"));
    }
  }
}

TEST(CpuDevice, PropertiesRepeatEverySetting) {
  const auto device = make_device(parse_device("cpu:threads=2,out=0.1GB/s,in=0.1GB/s,start=10us"));
  EXPECT_EQ(device->properties().device, "cpu:link=0.1GB/s,start=10us,threads=2");
  EXPECT_EQ(device->properties().threads, 2);
  EXPECT_DOUBLE_EQ(device->properties().host_link.in.value.value, 0.1e9);
  EXPECT_EQ(device->properties().host_link.in.source, "set on the command line");
  EXPECT_EQ(device->properties().host_link.both, std::nullopt);
  EXPECT_DOUBLE_EQ(device->properties().host_link.start.value, 10e-6);
}

TEST(CpuDevice, HostFunctionOnOneCopyStreamDoesNotHoldTheOther) {
  const auto device = make_cpu_device({});
  Rig rig(*device);
  std::atomic<bool> go = false;
  device->enqueue_host_function(
      rig.swap_out,
      [](void* flag) {
        while (!static_cast<std::atomic<bool>*>(flag)->load()) {
        }
      },
      &go);
  device->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 1_MiB);
  rig.finish(rig.swap_in);  // hangs if it does
  go = true;
  rig.finish(rig.swap_out);
}

TEST(CpuDevice, MoreCommandsThanAStreamWasMadeForAreOurBug) {
#ifdef SPILLWAY_THREAD_SANITIZER
  GTEST_SKIP() << "ThreadSanitizer reports the slot that is written before anybody waited for its last reader";
#endif
  const auto device = make_cpu_device({});
  device->allocate(1_MiB, 1_MiB);
  const StreamId stream = device->create_stream(StreamRole::swap_in, 2);
  const EventId never = device->create_event();
  // The first wait leaves the queue when its turn comes, so three may be enqueued or two: the fourth can't.
  EXPECT_THROW(
      {
        for (int i = 0; i < 4; ++i) device->enqueue_wait(stream, never, 1);
      },
      Bug);
}

TEST(CpuDevice, BytesOutsideTheArenaAreOurBug) {
  const auto device = make_cpu_device({});
  Rig rig(*device, 1_MiB, 1_MiB);
  EXPECT_THROW(device->enqueue_swap_in(rig.swap_in, 0_B, 1_MiB, 1_B), Bug);
  EXPECT_THROW(device->enqueue_swap_in(rig.swap_in, 1_B, 0_B, 1_MiB), Bug);
  EXPECT_THROW(device->enqueue_swap_out(rig.swap_out, {-1}, 0_B, 1_B), Bug);
  const std::vector<Bytes> outside{1_MiB - 4_B};
  const OpDescription op = advance_step();
  const KernelId kernel = device->prepare(op, device->kernels(op).front().id);
  EXPECT_THROW(device->enqueue_op(rig.compute, kernel, {.inputs = outside, .outputs = outside, .workspace = {}}), Bug);
}

TEST(CpuDevice, OpsAndCopiesOnEachOthersStreamsAreOurBug) {
  const auto device = make_cpu_device({});
  Rig rig(*device, 1_MiB, 1_MiB);
  EXPECT_THROW(device->enqueue_swap_in(rig.compute, 0_B, 0_B, 1_B), Bug);
  EXPECT_THROW(device->enqueue_cache_flush(rig.swap_in), Bug);
}

TEST(CpuDevice, EndsWithCommandsThatNobodyWaitedFor) {
  const auto device = make_cpu_device({});
  Rig rig(*device);
  const EventId never = device->create_event();
  device->enqueue_wait(rig.swap_in, never, 1);
  device->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 1_MiB);
  device->enqueue_wait(rig.compute, never, 1);
}

}  // namespace
}  // namespace spillway
