// What every device must do, written against the interface alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "tests/device/conformance.h"
#include "tests/device/device_fixture.h"

namespace spillway {
namespace {

using testing::Each;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::byte> pattern(std::size_t size, unsigned first = 1) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(first + i * 7 + i / 251);
  return bytes;
}

TEST_P(DeviceConformance, SaysWhatItIs) {
  const DeviceProperties& properties = device_->properties();
  EXPECT_THAT(properties.name, Not(IsEmpty()));
  EXPECT_THAT(properties.device, Not(IsEmpty()));
  EXPECT_THAT(properties.library, Not(IsEmpty()));
  EXPECT_GE(properties.threads, 1);
  EXPECT_GT(properties.memory, 0_B);
  EXPECT_GT(properties.host_memory, 0_B);
  EXPECT_GT(properties.alignment, 0_B);
  EXPECT_EQ(properties.alignment.value & (properties.alignment.value - 1), 0) << "a power of two";
}

TEST_P(DeviceConformance, ArenaAndHostPoolAreWritableToTheLastByte) {
  device_->allocate(1_MiB, 12345_B);
  ASSERT_EQ(device_->host_pool().size(), 12345U);
  std::ranges::fill(device_->host_pool(), std::byte{7});
  EXPECT_THAT(device_->host_pool(), Each(std::byte{7}));
  std::byte* const arena = device_->arena_on_host();
  if (arena == nullptr) GTEST_SKIP() << "the host can't address this device's arena";
  const std::span bytes(arena, std::size_t{1} << 20);
  std::ranges::fill(bytes, std::byte{9});
  EXPECT_THAT(bytes, Each(std::byte{9}));
}

TEST_P(DeviceConformance, ArenaStartsAtItsAlignment) {
  device_->allocate(1_MiB, 1_MiB);
  const auto alignment = static_cast<std::uintptr_t>(device_->properties().alignment.value);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(device_->host_pool().data()) % alignment, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(device_->arena_on_host()) % alignment, 0U);
}

TEST_P(DeviceConformance, TouchingTheByteBeforeOrBehindTheArenaEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  device_->allocate(1_MiB, 0_B);
  volatile std::byte* const arena = device_->arena_on_host();
  if (arena == nullptr) GTEST_SKIP() << "the host can't address this device's arena";
  EXPECT_DEATH(arena[-1] = std::byte{1}, "");
  EXPECT_DEATH(arena[1 << 20] = std::byte{1}, "");
}

TEST_P(DeviceConformance, AllocatingAgainReplacesBoth) {
  device_->allocate(1_MiB, 1_MiB);
  device_->allocate(2_MiB, 3_MiB);
  EXPECT_EQ(device_->host_pool().size(), std::size_t{3} << 20);
  Rig rig(*device_, 2_MiB, 3_MiB);
  const auto sent = pattern(1000);
  const std::size_t end = (std::size_t{2} << 20) - sent.size();
  rig.to_arena(end, sent);
  EXPECT_THAT(rig.from_arena(end, sent.size()), ElementsAreArray(sent));
}

TEST_P(DeviceConformance, ArenaLargerThanTheMachineIsRefused) {
  try {
    device_->allocate({std::int64_t{1} << 50}, 1_MiB);
    FAIL() << "1 PiB was given";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    EXPECT_THAT(error.what(), HasSubstr(to_text(Bytes{std::int64_t{1} << 50})));
    EXPECT_THAT(error.what(), HasSubstr("free"));
  }
  device_->allocate(1_MiB, 1_MiB);  // and the device still works
  EXPECT_EQ(device_->host_pool().size(), std::size_t{1} << 20);
}

TEST_P(DeviceConformance, CopiesRoundTripWhateverTheirSizeAndOffset) {
  Rig rig(*device_);
  for (const std::size_t size : {std::size_t{1}, std::size_t{63}, std::size_t{4097}, (std::size_t{256} << 10) - 1,
                                 std::size_t{256} << 10, (std::size_t{256} << 10) + 1, (std::size_t{3} << 20) + 5}) {
    SCOPED_TRACE(testing::Message() << size << " bytes");
    const auto sent = pattern(size, static_cast<unsigned>(size));
    std::ranges::copy(sent, device_->host_pool().begin() + 3);
    device_->enqueue_swap_in(rig.swap_in, 3_B, 64_B, {static_cast<std::int64_t>(size)});
    rig.finish(rig.swap_in);
    std::ranges::fill(device_->host_pool(), std::byte{0});
    device_->enqueue_swap_out(rig.swap_out, 64_B, 17_B, {static_cast<std::int64_t>(size)});
    rig.finish(rig.swap_out);
    const auto pool = device_->host_pool();
    EXPECT_TRUE(std::ranges::equal(pool.subspan(17, size), sent));
    EXPECT_EQ(pool[16], std::byte{0});
    EXPECT_EQ(pool[17 + size], std::byte{0});
  }
}

TEST_P(DeviceConformance, CopyOfNothingCompletes) {
  Rig rig(*device_);
  device_->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 0_B);
  rig.finish(rig.swap_in);
}

TEST_P(DeviceConformance, EachStreamRunsInOrder) {
  struct Call {
    std::vector<int>* order;
    int number;
  };
  device_->allocate(1_MiB, 1_MiB);
  for (const StreamRole role :
       {StreamRole::compute, StreamRole::swap_out, StreamRole::swap_in, StreamRole::network, StreamRole::host}) {
    SCOPED_TRACE(testing::Message() << "role " << static_cast<int>(role));
    constexpr int kCalls = 100;
    const StreamId stream = device_->create_stream(role, kCalls + 1);
    std::vector<int> order;
    std::vector<Call> calls;
    for (int number = 0; number < kCalls; ++number) calls.push_back({&order, number});
    for (Call& call : calls) {
      device_->enqueue_host_function(
          stream,
          [](void* argument) { static_cast<Call*>(argument)->order->push_back(static_cast<Call*>(argument)->number); },
          &call);
    }
    const EventId end = device_->create_event();
    device_->enqueue_record(stream, end, 1);
    device_->wait(end, 1);
    std::vector<int> expected(kCalls);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
  }
}

/// Holds a stream until it is opened.
class Gate {
 public:
  Gate(Device& device, StreamId stream) {
    device.enqueue_host_function(
        stream, [](void* open) { static_cast<std::atomic<bool>*>(open)->wait(false); }, &open_);
  }
  ~Gate() { open(); }  // so that a failed test doesn't hang
  void open() {
    open_ = true;
    open_.notify_all();
  }

 private:
  std::atomic<bool> open_{false};
};

TEST_P(DeviceConformance, WaitHoldsAStreamUntilAnotherOneGetsThere) {
  Rig rig(*device_);
  // A chain through all streams and back: without the waits the later ones would run ahead of the host, which writes
  // the bytes last.
  const StreamId host = device_->create_stream(StreamRole::host, 8);
  const EventId written = device_->create_event(), arrived = device_->create_event(), back = device_->create_event();
  Gate gate(*device_, host);
  device_->enqueue_record(host, written, 1);
  device_->enqueue_wait(rig.swap_in, written, 1);
  device_->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 1_MiB);
  device_->enqueue_record(rig.swap_in, arrived, 1);
  device_->enqueue_wait(rig.swap_out, arrived, 1);
  device_->enqueue_swap_out(rig.swap_out, 0_B, 1_MiB, 1_MiB);
  device_->enqueue_record(rig.swap_out, back, 1);
  device_->enqueue_wait(rig.compute, back, 1);
  bool seen = false;
  std::pair<std::span<std::byte>, bool*> check{device_->host_pool(), &seen};
  device_->enqueue_host_function(
      rig.compute,
      [](void* argument) {
        auto& [pool, flag] = *static_cast<std::pair<std::span<std::byte>, bool*>*>(argument);
        *flag = pool[1 << 20] == std::byte{42};
      },
      &check);
  device_->host_pool()[1 << 20] = std::byte{0};
  std::fill_n(device_->host_pool().begin(), 1 << 20, std::byte{42});
  gate.open();
  rig.finish(rig.compute);
  EXPECT_TRUE(seen);
}

TEST_P(DeviceConformance, WaitForAValueReachedLongAgoPasses) {
  Rig rig(*device_);
  const EventId event = device_->create_event();
  device_->enqueue_record(rig.compute, event, 5);
  device_->wait(event, 5);
  device_->wait(event, 3);
  device_->wait(event, 0);
  device_->enqueue_wait(rig.swap_in, event, 4);
  rig.finish(rig.swap_in);
}

TEST_P(DeviceConformance, StreamsAreReusedStepAfterStep) {
  device_->allocate(1_MiB, 1_MiB);
  const StreamId compute = device_->create_stream(StreamRole::compute, 3);
  const StreamId swap_in = device_->create_stream(StreamRole::swap_in, 3);
  const EventId copied = device_->create_event(), end = device_->create_event();
  for (std::uint64_t step = 1; step <= 50; ++step) {
    device_->enqueue_swap_in(swap_in, 0_B, 0_B, 1000_B);
    device_->enqueue_record(swap_in, copied, step);
    device_->enqueue_wait(compute, copied, step);
    device_->enqueue_record(compute, end, step);
    device_->wait(end, step);
    EXPECT_LE(device_->time_of(copied), device_->time_of(end));
  }
}

TEST_P(DeviceConformance, EventTimesFollowTheOrderOfEvents) {
  Rig rig(*device_);
  std::vector<EventId> events;
  for (int i = 0; i < 10; ++i) {
    const StreamId stream = i % 2 == 0 ? rig.swap_in : rig.swap_out;
    if (!events.empty()) device_->enqueue_wait(stream, events.back(), 1);
    if (i % 2 == 0) {
      device_->enqueue_swap_in(stream, 0_B, 0_B, 64_KiB);
    } else {
      device_->enqueue_swap_out(stream, 0_B, 0_B, 64_KiB);
    }
    events.push_back(device_->create_event());
    device_->enqueue_record(stream, events.back(), 1);
  }
  device_->wait(events.back(), 1);
  EXPECT_GE(device_->time_of(events.front()), Seconds{0});
  for (std::size_t i = 1; i < events.size(); ++i) {
    EXPECT_LE(device_->time_of(events[i - 1]), device_->time_of(events[i])) << i;
  }
}

TEST_P(DeviceConformance, NeitherCopyStreamHoldsUpTheOther) {
  Rig rig(*device_);
  const StreamId host = device_->create_stream(StreamRole::host, 8);
  for (const bool out_is_held : {true, false}) {
    SCOPED_TRACE(out_is_held ? "swap-out waits" : "swap-in waits");
    const StreamId held = out_is_held ? rig.swap_out : rig.swap_in, free = out_is_held ? rig.swap_in : rig.swap_out;
    const auto copy = [&](StreamId stream) {
      if (stream == rig.swap_out) {
        device_->enqueue_swap_out(stream, 0_B, 0_B, 1_MiB);
      } else {
        device_->enqueue_swap_in(stream, 2_MiB, 2_MiB, 1_MiB);
      }
    };
    const EventId opened = device_->create_event(), passed = device_->create_event();
    Gate gate(*device_, host);
    device_->enqueue_record(host, opened, 1);
    device_->enqueue_wait(held, opened, 1);
    copy(held);
    device_->enqueue_record(held, passed, 1);
    copy(free);
    rig.finish(free);  // hangs if the held stream holds this one
    gate.open();
    device_->wait(passed, 1);
    EXPECT_GE(device_->time_of(passed), device_->time_of(opened));
  }
}

TEST_P(DeviceConformance, ACapturedStepRunsOnEveryReplayAndNotBefore) {
  Rig rig(*device_);
  const OpDescription op = advance_step();
  const KernelId kernel = device_->prepare(op, device_->kernels(op).front().id);
  const EventId arrived = device_->create_event(), advanced = device_->create_event();
  std::int64_t count = 0;
  bool is_enqueued = false;
  const auto pool = device_->host_pool();
  const auto graph = device_->capture([&] {
    is_enqueued = true;
    const std::vector<Bytes> addresses{0_B};
    device_->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 8_B);
    device_->enqueue_record(rig.swap_in, arrived, 1);
    device_->enqueue_wait(rig.compute, arrived, 1);
    device_->enqueue_op(rig.compute, kernel, {.inputs = addresses, .outputs = addresses, .workspace = 1_MiB});
    device_->enqueue_record(rig.compute, advanced, 1);
    device_->enqueue_wait(rig.swap_out, advanced, 1);
    device_->enqueue_swap_out(rig.swap_out, 0_B, 0_B, 8_B);
    device_->enqueue_host_function(
        rig.swap_out, [](void* runs) { ++*static_cast<std::int64_t*>(runs); }, &count);
  });
  EXPECT_EQ(is_enqueued, graph.has_value());
  if (!graph) return;  // a device need not have graphs
  EXPECT_EQ(count, 0);
  std::int64_t value = 40;
  std::memcpy(pool.data(), &value, sizeof value);
  for (int replay = 1; replay <= 5; ++replay) {
    device_->replay(*graph);
    std::memcpy(&value, pool.data(), sizeof value);
    EXPECT_EQ(value, 40 + replay);
    EXPECT_EQ(count, replay);
  }
}

TEST_P(DeviceConformance, KernelsAreTheSameOnEveryCall) {
  for (const OpDescription& op : {advance_step(), add(1000)}) {
    const auto first = device_->kernels(op), second = device_->kernels(op);
    ASSERT_THAT(first, Not(IsEmpty()));
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      EXPECT_EQ(first[i].id, second[i].id);
      EXPECT_EQ(first[i].workspace, second[i].workspace);
    }
  }
}

TEST_P(DeviceConformance, OpRunsInPlaceOnArenaBytes) {
  Rig rig(*device_);
  const OpDescription op = advance_step();
  const auto options = device_->kernels(op);
  ASSERT_THAT(options, Not(IsEmpty()));
  const KernelId kernel = device_->prepare(op, options.front().id);
  const std::int64_t before = 41;
  rig.to_arena(128, std::as_bytes(std::span(&before, 1)));
  {
    const std::vector<Bytes> addresses{128_B};
    device_->enqueue_op(rig.compute, kernel, {.inputs = addresses, .outputs = addresses, .workspace = 1_MiB});
  }  // enqueueing has copied the addresses
  rig.finish(rig.compute);
  std::int64_t after = 0;
  std::memcpy(&after, rig.from_arena(128, sizeof(after)).data(), sizeof(after));
  EXPECT_EQ(after, 42);
}

TEST_P(DeviceConformance, EveryKernelOfAnOpRunsOnArenaBytes) {
  Rig rig(*device_);
  constexpr std::size_t kCount = 1000;
  const OpDescription op = add(kCount);
  std::vector<float> a(kCount), b(kCount), expected(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    a[i] = static_cast<float>(i);
    b[i] = 0.5F * static_cast<float>(i);
    expected[i] = 1.5F * static_cast<float>(i);
  }
  rig.to_arena(0, std::as_bytes(std::span(a)));
  rig.to_arena(64 << 10, std::as_bytes(std::span(b)));
  for (const KernelOption& option : device_->kernels(op)) {
    SCOPED_TRACE(option.id);
    const std::vector<Bytes> inputs{0_B, 64_KiB}, outputs{128_KiB};
    device_->enqueue_op(rig.compute, device_->prepare(op, option.id),
                        {.inputs = inputs, .outputs = outputs, .workspace = 1_MiB});
    rig.finish(rig.compute);
    std::vector<float> sum(kCount);
    std::memcpy(sum.data(), rig.from_arena(128 << 10, kCount * sizeof(float)).data(), kCount * sizeof(float));
    EXPECT_EQ(sum, expected);
  }
}

TEST_P(DeviceConformance, UnknownKernelIsRefusedWithTheKnownOnes) {
  const OpDescription op = advance_step();
  try {
    static_cast<void>(device_->prepare(op, "abacus"));
    FAIL() << "an abacus was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    EXPECT_THAT(error.what(), HasSubstr("'abacus' for advance_step"));
    EXPECT_THAT(error.what(), HasSubstr(device_->kernels(op).front().id));
  }
}

TEST_P(DeviceConformance, CacheFlushKeepsTheArena) {
  Rig rig(*device_);
  const auto sent = pattern(100000);
  rig.to_arena(0, sent);
  device_->enqueue_cache_flush(rig.compute);
  rig.finish(rig.compute);
  EXPECT_TRUE(std::ranges::equal(rig.from_arena(0, sent.size()), sent));
}

TEST_P(DeviceConformance, FailureOnAStreamIsThrownByTheNextWaitAndNothingHangs) {
  for (const StreamRole role : {StreamRole::compute, StreamRole::swap_in, StreamRole::host}) {
    SCOPED_TRACE(testing::Message() << "role " << static_cast<int>(role));
    const std::unique_ptr<Device> device = GetParam()();
    device->allocate(1_MiB, 1_MiB);
    const StreamId stream = device->create_stream(role, 4);
    const EventId end = device->create_event();
    std::atomic<bool> ran = false;
    device->enqueue_host_function(
        stream, [](void*) { throw std::runtime_error("out of paper"); }, nullptr);
    device->enqueue_host_function(
        stream, [](void* flag) { *static_cast<std::atomic<bool>*>(flag) = true; }, &ran);
    device->enqueue_record(stream, end, 1);
    try {
      device->wait(end, 1);
      FAIL() << "the failure was swallowed";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "out of paper");
    }
    EXPECT_FALSE(ran) << "a command behind a failed one ran";
  }
}

}  // namespace
}  // namespace spillway
