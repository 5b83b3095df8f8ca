// Linked with -Wl,--wrap into every test and into the program that tests start: whatever schedule they make is captured
// too. The linker leads each call of `lower` from another file here.
#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <string>

#include "compile/lower.h"
#include "tests/device/cuda/captured_order.h"
#include "tests/device/cuda/fake_cuda.h"

namespace spillway {

std::variant<Schedule, Shortfall> lower_itself(const Trace& trace, const Plan& plan, Effort effort) asm(
    "__real__ZN8spillway5lowerERKNS_5TraceERKNS_4PlanENS_6EffortE");
std::variant<Schedule, Shortfall> lower_and_capture(const Trace& trace, const Plan& plan, Effort effort) asm(
    "__wrap__ZN8spillway5lowerERKNS_5TraceERKNS_4PlanENS_6EffortE");

std::variant<Schedule, Shortfall> lower_and_capture(const Trace& trace, const Plan& plan, Effort effort) {
  std::variant<Schedule, Shortfall> lowered = lower_itself(trace, plan, effort);
  if (const auto* schedule = std::get_if<Schedule>(&lowered)) {
    static std::mutex one_at_a_time;  // as the fake's captures are
    const std::scoped_lock lock(one_at_a_time);
    const std::string difference = captured_difference(trace, *schedule, *schedule);
    if (!difference.empty()) {
      fmt::print(stderr, "tests/device/cuda/capture_every_schedule.cpp: the step as captured isn't the schedule: {}\n",
                 difference);
      std::abort();  // no exit code or exception that a test could take for the program's own
    }
    FakeCuda::forget_destroyed();
  }
  return lowered;
}

}  // namespace spillway
