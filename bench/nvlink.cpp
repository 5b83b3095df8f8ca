// Would NVLink to the host pay for 3D U-Net? V100s with NVLink 2 against V100s behind PCIe 3 switches, by the policies
// of the time and by ours. No trace says how well a V100 runs this network, so its efficiency is an axis.
// usage: nvlink [side ...]
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "compile/lower.h"
#include "core/io/files.h"
#include "core/planned_step.h"
#include "models/models.h"
#include "sim/transfer.h"
#include "tuner/tune.h"

using namespace spillway;

namespace {

constexpr Bytes kMemory{static_cast<std::int64_t>(0.95 * 16 * (1LL << 30))};  // a V100 16 GB less what isn't ours

/// The network's step without any measurement: only shapes count, and workspaces are none.
Trace unmeasured(std::int64_t side) {
  Trace trace;
  trace.graph = make_model("unet3d", parse_settings({fmt::format("side={}", side), "channels=4"}));
  BatchCosts costs{.batch = 1, .kernels = {}, .kernel_of = {}};
  for (const OpId op : trace.graph.ops.ids()) {
    costs.kernel_of.push_back(static_cast<std::uint32_t>(op.index()));
    costs.kernels.push_back({.kernel = "unmeasured",
                             .workspace = {},
                             .seconds = {1},
                             .spread = 0,
                             .seconds_while_copying = {1},
                             .repeats = 1});
  }
  trace.batches.push_back(std::move(costs));
  trace.interference_rate = {1e12};
  trace.machine.name = "nothing";
  return trace;
}

struct Found {
  Seconds step, stall;
  double link_use = 0;  ///< of both directions together, over the whole step
};

std::optional<Found> found(const Trace& trace, const Platform& platform, const std::string& policy) {
  TuneRequest request;
  request.trace = &trace;
  request.platform = platform;
  request.capacity = kMemory;
  request.policy = policy;
  std::variant<Tuned, NothingFits> outcome = tune(request);
  const Tuned* tuned = std::get_if<Tuned>(&outcome);
  if (!tuned) return std::nullopt;
  const Trace step = planned_step(trace, tuned->plan.micro_batches, tuned->plan.reduction);
  double copied = 0;
  for (const Instruction& instruction : tuned->schedule.instructions) {
    if (!runs_op(instruction.kind))
      copied += static_cast<double>(bytes(step.graph.buffers[instruction.buffer], 1).value);
  }
  const HostLink& link = platform.host_link;
  return Found{.step = tuned->times.step,
               .stall = tuned->times.stall,
               .link_use = copied / (link.in.value.value + link.out.value.value) / tuned->times.step.value};
}

Platform machine(const std::string& preset, std::int64_t gpus, double efficiency) {
  Platform platform = *with_gpus(read_platform(fmt::format(SPILLWAY_SOURCE "/platforms/{}.json", preset)), gpus);
  platform.gpu->assumed_efficiency = efficiency;
  return platform;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::int64_t> sides;
  for (int i = 1; i < argc; ++i) sides.push_back(std::atoll(argv[i]));
  if (sides.empty()) sides = {144, 192, 320};
  fmt::print("V100 16 GB, 15.2 GiB for the arena; batch 1 a GPU; step (stall %, link use %); -: no plan\n\n");
  fmt::print("{:<5} {:>4} {:>5}  {:<10} {:<24} {:<24} {:>9}\n", "side", "GPUs", "eff.", "policy", "ac922-4 (NVLink 2)",
             "x86-pcie3-4", "advantage");
  for (const std::int64_t side : sides) {
    const Trace trace = unmeasured(side);
    fmt::print("footprint at {}: {}\n", side, to_text(footprint(trace, 1)));
    for (const std::int64_t gpus : {1, 2, 4}) {
      for (const double efficiency : {0.1, 0.2, 0.4, 0.8}) {
        for (const char* policy : {"swap-all", "tflms", "threshold"}) {
          std::vector<std::optional<Found>> both;
          for (const char* preset : {"ac922-4", "x86-pcie3-4"}) {
            const Platform platform = machine(preset, gpus, efficiency);
            both.push_back(found(transferred(trace, platform).trace, platform, policy));
          }
          const auto cell = [](const std::optional<Found>& one) {
            if (!one) return std::string("-");
            return fmt::format("{} ({:.0f} %, {:.0f} %)", to_text(one->step), 100 * (one->stall / one->step),
                               100 * one->link_use);
          };
          fmt::print("{:<5} {:>4} {:>4.0f}%  {:<10} {:<24} {:<24} {:>9}\n", side, gpus, 100 * efficiency, policy,
                     cell(both[0]), cell(both[1]),
                     both[0] && both[1] ? fmt::format("{:.2f}x", both[1]->step / both[0]->step) : "-");
          std::fflush(stdout);
        }
      }
    }
  }
}
