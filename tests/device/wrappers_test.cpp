#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "device/cpu/device.h"
#include "device/wrappers/delay.h"
#include "device/wrappers/poison.h"
#include "device/wrappers/record.h"
#include "tests/device/device_fixture.h"

namespace spillway {
namespace {

using testing::Each;
using testing::ElementsAre;

using Kind = RecordedCommand::Kind;

std::vector<Kind> kinds(const std::vector<RecordedCommand>& log) {
  std::vector<Kind> result;
  for (const RecordedCommand& command : log) result.push_back(command.kind);
  return result;
}

TEST(RecordedDevice, KeepsEveryCommandAsItWasGiven) {
  const auto cpu = make_cpu_device({});
  std::vector<RecordedCommand> log;
  const auto device = recorded(*cpu, log);
  Rig rig(*device);
  const OpDescription op = advance_step();
  const KernelId kernel = device->prepare(op, device->kernels(op).front().id);
  const std::vector<Bytes> addresses{64_B};
  const EventId event = device->create_event();
  device->enqueue_swap_in(rig.swap_in, 8_B, 64_B, 16_B);
  device->enqueue_record(rig.swap_in, event, 1);
  device->enqueue_wait(rig.compute, event, 1);
  device->enqueue_op(rig.compute, kernel, {.inputs = addresses, .outputs = addresses, .workspace = 128_B});
  device->note_last_use(rig.compute, ResidencyId(3), 64_B, 8_B, 2);
  device->enqueue_record(rig.compute, event, 2);
  device->wait(event, 2);
  device->enqueue_swap_out(rig.swap_out, 64_B, 0_B, 8_B);
  rig.finish(rig.swap_out);
  ASSERT_THAT(kinds(log), ElementsAre(Kind::swap_in, Kind::record, Kind::wait, Kind::op, Kind::last_use, Kind::record,
                                      Kind::swap_out, Kind::record));
  EXPECT_EQ(log[0].from, 8_B);
  EXPECT_EQ(log[0].to, 64_B);
  EXPECT_EQ(log[0].size, 16_B);
  EXPECT_EQ(log[1].event, event);
  EXPECT_EQ(log[2].stream, rig.compute);
  EXPECT_EQ(log[2].value, 1U);
  EXPECT_EQ(log[3].kernel, kernel);
  EXPECT_EQ(log[3].inputs, addresses);
  EXPECT_EQ(log[3].workspace, 128_B);
  EXPECT_EQ(log[4].residency, ResidencyId(3));
  EXPECT_EQ(log[4].users, 2);
  EXPECT_EQ(log[6].from, 64_B);
}

std::vector<RecordedCommand> delays_of(const Delays& delays) {
  const auto cpu = make_cpu_device({});
  std::vector<RecordedCommand> log;
  const auto recording = recorded(*cpu, log);
  const auto device = delayed(*recording, delays);
  Rig rig(*device);
  for (int i = 0; i < 20; ++i) device->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 64_B);
  rig.finish(rig.swap_in);
  std::erase_if(log, [](const RecordedCommand& command) { return command.kind != Kind::host_function; });
  return log;
}

TEST(DelayedDevice, RandomDelaysAreAFunctionOfTheSeed) {
  const Delays seven{.seed = 7, .longest = Seconds{1e-4}}, eight{.seed = 8, .longest = Seconds{1e-4}};
  const auto once = delays_of(seven);
  EXPECT_GE(once.size(), 20U);
  EXPECT_EQ(once, delays_of(seven));
  EXPECT_NE(once, delays_of(eight));
}

TEST(DelayedDevice, FixedDelaysHoldTheStreamsOfTheirRoleOnly) {
  Delays delays;
  delays.of(StreamRole::swap_in) = {.each = Seconds{1e-3}, .per_gigabyte = Seconds{10}};
  const auto cpu = make_cpu_device({});
  std::vector<RecordedCommand> log;
  const auto recording = recorded(*cpu, log);
  const auto device = delayed(*recording, delays);
  Rig rig(*device);
  const EventId before = device->create_event(), after = device->create_event();
  device->enqueue_swap_out(rig.swap_out, 0_B, 0_B, 64_B);
  rig.finish(rig.swap_out);
  device->enqueue_record(rig.swap_in, before, 1);
  EXPECT_THAT(kinds(log), Each(testing::Ne(Kind::host_function)));
  device->enqueue_swap_in(rig.swap_in, 0_B, 0_B, {1'000'000});
  device->enqueue_record(rig.swap_in, after, 1);
  device->wait(after, 1);
  // 1 ms, and 1e6 B at 10 s/GB: 10 ms.
  EXPECT_GE((device->time_of(after) - device->time_of(before)).value, 0.011);
}

TEST(PoisonedDevice, ArenaStartsPoisoned) {
  const auto cpu = make_cpu_device({});
  const auto device = poisoned(*cpu);
  device->allocate(1_MiB, 1_MiB);
  EXPECT_THAT(std::span(device->arena_on_host(), 1 << 20), Each(std::byte{0xFF}));
}

/// Two floats at offset 64 that swap-out and compute use last.
class TwoUsers : public testing::Test {
 protected:
  static constexpr Bytes kOffset = 64_B, kSize = 8_B;

  void use(StreamId stream) {
    if (stream == rig_.swap_out) {
      device_->enqueue_swap_out(stream, kOffset, 0_B, kSize);
    } else {
      const std::vector<Bytes> inputs{kOffset, kOffset}, outputs{1024_B};
      device_->enqueue_op(stream, kernel_, {.inputs = inputs, .outputs = outputs, .workspace = 1_MiB});
    }
    device_->note_last_use(stream, ResidencyId(0), kOffset, kSize, 2);
  }
  std::vector<float> now() {
    std::vector<float> values(2);
    std::memcpy(values.data(), device_->arena_on_host() + kOffset.value, sizeof(float) * values.size());
    return values;
  }

  std::unique_ptr<Device> cpu_ = make_cpu_device({});
  std::unique_ptr<Device> device_ = poisoned(*cpu_);
  Rig rig_{*device_};
  KernelId kernel_ = device_->prepare(add(2), device_->kernels(add(2)).front().id);
  const std::vector<float> value_{1.5F, -2.0F};
};

TEST_F(TwoUsers, LastOneToCompletePoisonsInEveryStep) {
  for (int step = 0; step < 4; ++step) {
    SCOPED_TRACE(testing::Message() << "step " << step);
    const bool copy_first = step % 2 == 0;
    const StreamId first = copy_first ? rig_.swap_out : rig_.compute,
                   second = copy_first ? rig_.compute : rig_.swap_out;
    rig_.to_arena(kOffset.value, std::as_bytes(std::span(value_)));
    use(first);
    rig_.finish(first);
    EXPECT_EQ(now(), value_) << "one user is still to come";
    use(second);
    rig_.finish(second);
    EXPECT_TRUE(std::isnan(now()[0]) && std::isnan(now()[1]));
  }
}

TEST_F(TwoUsers, BytesAroundTheResidencyKeepTheirValues) {
  const std::vector<std::byte> ones(256, std::byte{1});
  rig_.to_arena(0, ones);
  use(rig_.swap_out);
  use(rig_.compute);
  rig_.finish(rig_.swap_out);
  rig_.finish(rig_.compute);
  const std::span arena(device_->arena_on_host(), 256);
  EXPECT_THAT(arena.first(64), Each(std::byte{1}));
  EXPECT_THAT(arena.subspan(64, 8), Each(std::byte{0xFF}));
  EXPECT_THAT(arena.subspan(72), Each(std::byte{1}));
}

/// A residency leaves by swap-out while the bytes' next value comes by swap-in. What an op then makes of it.
float sum_after_reuse(bool with_wait) {
  const auto cpu = make_cpu_device({});
  const auto device = poisoned(*cpu);
  Rig rig(*device);
  const OpDescription op = add(1);
  const KernelId kernel = device->prepare(op, device->kernels(op).front().id);
  const std::vector<Bytes> inputs{0_B, 0_B}, outputs{1024_B};
  const float old_value = 1, new_value = 3;
  rig.to_arena(0, std::as_bytes(std::span(&old_value, 1)));
  std::memcpy(device->host_pool().data() + 512, &new_value, sizeof(new_value));

  const EventId go = device->create_event(), left = device->create_event(), arrived = device->create_event();
  const StreamId host = device->create_stream(StreamRole::host, 8);
  device->enqueue_wait(rig.swap_out, go, 1);
  device->enqueue_swap_out(rig.swap_out, 0_B, 256_B, 4_B);
  device->note_last_use(rig.swap_out, ResidencyId(0), 0_B, 4_B, 1);
  device->enqueue_record(rig.swap_out, left, 1);
  if (with_wait) device->enqueue_wait(rig.swap_in, left, 1);
  device->enqueue_swap_in(rig.swap_in, 512_B, 0_B, 4_B);
  device->enqueue_record(rig.swap_in, arrived, 1);
  // The swap-out is as late as the schedule allows: without the wait, behind the swap-in.
  if (!with_wait) device->enqueue_wait(host, arrived, 1);
  device->enqueue_record(host, go, 1);
  device->wait(left, 1);
  device->enqueue_wait(rig.compute, arrived, 1);
  device->enqueue_op(rig.compute, kernel, {.inputs = inputs, .outputs = outputs, .workspace = 1_MiB});
  rig.finish(rig.compute);
  float sum = 0;
  std::memcpy(&sum, rig.from_arena(1024, sizeof(sum)).data(), sizeof(sum));
  return sum;
}

TEST(PoisonedDevice, ReaderBehindAMissingWaitSeesNaN) {
  EXPECT_EQ(sum_after_reuse(true), 6);
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer reports the missing wait itself";
#endif
  EXPECT_TRUE(std::isnan(sum_after_reuse(false)));
}

}  // namespace
}  // namespace spillway
