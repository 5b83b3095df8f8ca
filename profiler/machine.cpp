#include "profiler/machine.h"

#include "profiler/copy_timer.h"
#include "profiler/machine_facts.h"

namespace spillway {

Platform platform_of(const DeviceProperties& properties, const CopyCurves& copies) {
  return {.name = properties.name,
          .device = properties.device,
          .nodes = 1,
          .gpus_per_node = 1,
          .device_memory = properties.memory,
          .host_memory = properties.host_memory,
          .host_link = link_from(copies, properties.host_link, "measured: " + machine_text())};
}

Platform measure_machine(Device& device) {
  Workbench bench(device, Bytes{0});
  return platform_of(device.properties(), time_copies(bench));
}

Platform with_ranks(Platform machine, const AllReduceCurve& curve) {
  const std::string source = "measured: " + machine_text();
  const auto ranks = static_cast<double>(curve.ranks);
  const double steps = 2 * (ranks - 1);
  const CopyLine line = fit_line(curve.points);
  const Rate rate{{steps / ranks * line.rate.value}, source};  // as bus bandwidth counts: each rank's own link
  machine.gpus_per_node = curve.ranks;
  if (machine.device.starts_with("cpu")) machine.device_memory = Bytes{machine.device_memory.value / curve.ranks};
  machine.gpu_links = GpuLinks{.kind = GpuLinks::Kind::crossbar,
                               .rate = rate,
                               .bricks = {},
                               .start = (1 / steps) * line.start,
                               .start_source = source,
                               .all_reduce = rate};
  return machine;
}

}  // namespace spillway
