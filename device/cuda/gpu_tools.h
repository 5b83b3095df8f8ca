#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "device/cuda/cupti_kernels.h"
#include "device/cuda/nvml.h"

namespace spillway {

/// NVIDIA's libraries that watch a GPU, by name or path; an empty one isn't loaded.
struct ToolLibraries {
  std::string nvml = "libnvidia-ml.so.1";
  std::string cupti = cupti_library();
};

/// What one GPU can be asked beside CUDA's own calls. Where a library is missing or refuses, it tells less: nothing
/// that is here fails.
class GpuTools {
 public:
  /// Loads NVML. `pci_bus_id`: "00000000:81:00.0".
  GpuTools(const ToolLibraries& libraries, const std::string& pci_bus_id);

  /// "580.65.06", or empty.
  [[nodiscard]] std::string driver_version() const { return nvml_ ? nvml_->driver_version() : ""; }
  [[nodiscard]] std::optional<ClockReading> read_clocks() const { return nvml_ ? nvml_->read() : std::nullopt; }
  /// As Device::observe. Loads CUPTI when called first, since it slows down what runs with it.
  /// Requires: `run` returns when all that it enqueued has completed.
  [[nodiscard]] std::optional<ObservedKernels> observe(const std::function<void()>& run);
  /// What isn't known, and why: {"clocks", "not read: libnvidia-ml.so.1: cannot open ..."}. Of kernels only once they
  /// were asked for.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> missing() const;

 private:
  std::string cupti_library_;
  std::string why_no_nvml_, why_no_cupti_;  ///< empty: it is there, or wasn't asked for yet
  std::unique_ptr<Nvml> nvml_;
  std::unique_ptr<CuptiKernels> cupti_;
};

}  // namespace spillway
