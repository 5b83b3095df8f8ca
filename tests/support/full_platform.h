#pragma once

#include "core/platform.h"

namespace spillway {

/// A machine with everything that a platform may have: two nodes of two sockets, two GPUs behind a switch on each, and
/// bricks between them.
inline Platform full_platform() {
  const auto rate = [](double gigabytes) { return Rate{{gigabytes * 1e9}, "measured: by nobody"}; };
  const auto teraflops = [](double value) { return ComputeRate{value * 1e12, "vendor data sheet"}; };
  return {
      .name = "full",
      .device = "cuda",
      .nodes = 2,
      .gpus_per_node = 4,
      .device_memory = 16_GiB,
      .host_memory = 256_GiB,
      .host_link = {.in = rate(12), .out = rate(13), .both = rate(20), .start = {2e-6}, .start_source = "assumed: a"},
      .gpu = Gpu{.name = "V100",
                 .fp32 = teraflops(15),
                 .tf32 = teraflops(30),
                 .fp16 = teraflops(120),
                 .memory = rate(900),
                 .memory_measured = rate(800)},
      .uplink = Uplink{.gpus = 2, .in = rate(14), .out = rate(15), .both = rate(21)},
      .sockets = Sockets{.count = 2, .memory = rate(76), .link = rate(32)},
      .gpu_links = GpuLinks{.kind = GpuLinks::Kind::bricks,
                            .rate = rate(25),
                            .bricks = {{0, 1, 2}, {0, 2, 1}, {2, 3, 2}},
                            .start = {3e-6},
                            .start_source = "assumed: b",
                            .all_reduce = rate(40)},
      .network =
          Network{.nics = 2, .rate = rate(12.5), .start = {9e-6}, .behind_uplink = true, .start_source = "assumed: c"},
      .device_memory_source = "vendor data sheet",
      .host_memory_source = "assumed: d"};
}

}  // namespace spillway
