// A wait is dropped in front of a convolution of oneDNN. Three watchers must each see it by themselves: the verifier,
// the device that poisons what has ended, and ThreadSanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "device/spec.h"
#include "device/wrappers/delay.h"
#include "device/wrappers/poison.h"
#include "executor/runner.h"
#include "tests/support/training.h"
#include "verify/verify.h"

namespace spillway {
namespace {

struct Planted {
  Trace trace;
  Schedule good, bad;
  std::string op;
};

/// A schedule in which the convolution that waits for a swap-in no longer does.
Planted plant(const Trace& trace) {
  Planted planted{.trace = trace, .good = *smallest_schedule(trace, "swap-all"), .bad = {}, .op = ""};
  planted.bad = planted.good;
  for (Instruction& instruction : planted.bad.instructions) {
    if (instruction.kind != InstructionKind::compute) continue;
    const std::string_view kind = kind_of(trace.graph.ops[instruction.op].attributes);
    if (kind != Convolution::kKind && kind != ConvolutionBackwardData::kKind) continue;
    const auto swap_in = std::ranges::find_if(instruction.waits, [&](InstructionId wait) {
      const Instruction& waited = planted.bad.instructions[wait];
      return waited.kind == InstructionKind::swap_in && trace.graph.buffers[waited.buffer].role == Role::parameter;
    });
    if (swap_in == instruction.waits.end()) continue;
    planted.op = trace.graph.ops[instruction.op].name;
    instruction.waits.erase(swap_in);
    return planted;
  }
  ADD_FAILURE() << "no convolution waits for a swap-in";
  return planted;
}

/// Trains without asking the verifier. Swap-ins are late, so the convolution is there first.
float last_loss(Device& device, const Trace& trace, const Schedule& schedule) {
  Delays delays;
  delays.of(StreamRole::swap_in).each = {2e-3};
  const std::unique_ptr<Device> late = delayed(device, delays);
  Runner runner(*late, trace, schedule, Timing::off);
  for (const StartState& state : schedule.start) {
    const Buffer& buffer = trace.graph.buffers[state.buffer];
    const auto size = static_cast<std::size_t>(bytes(buffer, schedule.plan.batch).value);
    const std::vector<float> ones(size / sizeof(float), 0.01F);
    std::vector<std::byte> value(size, std::byte{0});
    if (buffer.role == Role::parameter) std::ranges::copy(std::as_bytes(std::span(ones)), value.begin());
    runner.set(state.buffer, value);
  }
  for (const HostSlot& slot : schedule.host_slots) {
    if (trace.graph.buffers[slot.buffer].role == Role::input) std::ranges::fill(runner.slot(slot.buffer), std::byte{0});
  }
  static_cast<void>(runner.run_step());
  static_cast<void>(runner.run_step());
  for (const BufferId id : trace.graph.buffers.ids()) {
    if (trace.graph.buffers[id].role != Role::loss) continue;
    float loss = 0;
    std::ranges::copy(runner.slot(id), std::as_writable_bytes(std::span(&loss, 1)).begin());
    return loss;
  }
  return 0;
}

TEST(PlantedRace, IsReportedByTheVerifier) {
  const Planted planted = plant(profile_tiny(kTinyUnet));
  EXPECT_THAT(verify(planted.trace, planted.good), testing::IsEmpty());
  const std::vector<Violation> violations = verify(planted.trace, planted.bad);
  ASSERT_FALSE(violations.empty());
  EXPECT_EQ(violations.front().rule, Rule::swap_in_ends_before_read);
  EXPECT_THAT(violations.front().text, testing::HasSubstr(planted.op));
}

TEST(PlantedRace, IsShownByThePoisoningDevice) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer rightly ends this program for its race";
#endif
  const Planted planted = plant(profile_tiny(kTinyUnet));
  const auto loss = [&](const Schedule& schedule) {
    const std::unique_ptr<Device> cpu = make_device(parse_device("cpu"));
    return last_loss(*poisoned(*cpu), planted.trace, schedule);
  };
  EXPECT_TRUE(std::isfinite(loss(planted.good)));
  EXPECT_TRUE(std::isnan(loss(planted.bad)));
}

TEST(PlantedRace, IsReportedByThreadSanitizer) {
#if !defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "needs a build with ThreadSanitizer";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  constexpr int kReported = 66;  // ThreadSanitizer's exit status
  const Trace trace = profile_tiny(kTinyUnet);
  const auto run = [&](bool bad) {
    const Planted planted = plant(trace);
    const std::unique_ptr<Device> cpu = make_device(parse_device("cpu"));
    static_cast<void>(last_loss(*cpu, planted.trace, bad ? planted.bad : planted.good));
    std::exit(0);
  };
  EXPECT_EXIT(run(true), testing::ExitedWithCode(kReported), "data race");
  EXPECT_EXIT(run(false), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace spillway
