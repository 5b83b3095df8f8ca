#pragma once

#include <string>

// An NVML without a GPU, as a library of its own that is loaded by its path, which is SPILLWAY_FAKE_NVML. It knows one
// GPU. Tests reach its state by `fake_nvml()`.

namespace spillway {

struct FakeNvml {
  int init_result = 0;     ///< what nvmlInit_v2 returns
  int sensors_result = 0;  ///< what all that reads the GPU returns
  std::string pci_bus_id = "00000000:00:00.0";
  unsigned sm_megahertz = 1980, memory_megahertz = 2619, milliwatts = 700000, celsius = 41;
  unsigned long long reasons = 0;
  int users = 0;  ///< inits without a shutdown
};

}  // namespace spillway
