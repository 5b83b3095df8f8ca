#pragma once

#include "core/platform.h"

namespace spillway {

// Machines with round numbers, to compute by hand what must come out.

inline Rate gigabytes(double value) {
  return {.value = {value * 1e9}, .source = "test"};
}

/// GPUs each with a host link of its own, 10 GB/s each way, without links between them.
inline Platform separate_gpus(std::int64_t gpus) {
  Platform platform;
  platform.name = "separate";
  platform.gpus_per_node = gpus;
  platform.host_link = {.in = gigabytes(10), .out = gigabytes(10), .both = {}, .start = {}};
  return platform;
}

/// The same behind switches of two, whose uplink carries 10 GB/s each way, peer to peer.
inline Platform behind_switches(std::int64_t gpus) {
  Platform platform = separate_gpus(gpus);
  platform.name = "switches";
  platform.uplink = Uplink{.gpus = 2, .in = gigabytes(10), .out = gigabytes(10), .both = {}};
  platform.gpu_links = GpuLinks{.kind = GpuLinks::Kind::switches, .rate = {}, .bricks = {}, .start = {1e-6}};
  return platform;
}

/// GPUs at a crossbar, 100 GB/s each way, 1 us a step.
inline Platform at_crossbar(std::int64_t gpus, std::int64_t nodes = 1) {
  Platform platform = separate_gpus(gpus);
  platform.name = "crossbar";
  platform.nodes = nodes;
  platform.gpu_links =
      GpuLinks{.kind = GpuLinks::Kind::crossbar, .rate = gigabytes(100), .bricks = {}, .start = {1e-6}};
  if (nodes > 1) platform.network = Network{.nics = gpus, .rate = gigabytes(5), .start = {5e-6}};
  return platform;
}

}  // namespace spillway
