#include "device/cuda/gpu_tools.h"

namespace spillway {

GpuTools::GpuTools(const ToolLibraries& libraries, const std::string& pci_bus_id)
    : cupti_library_(libraries.cupti), nvml_(Nvml::open(libraries.nvml, pci_bus_id, why_no_nvml_)) {}

std::optional<ObservedKernels> GpuTools::observe(const std::function<void()>& run) {
  if (!why_no_cupti_.empty()) return std::nullopt;  // asking again would give the same answer
  if (!cupti_) cupti_ = CuptiKernels::open(cupti_library_, why_no_cupti_);
  return cupti_ ? cupti_->observe(run, why_no_cupti_) : std::nullopt;
}

std::vector<std::pair<std::string, std::string>> GpuTools::missing() const {
  std::vector<std::pair<std::string, std::string>> facts;
  if (!why_no_nvml_.empty()) facts.emplace_back("clocks", "not read: " + why_no_nvml_);
  if (!why_no_cupti_.empty()) facts.emplace_back("device's kernels", "not seen: " + why_no_cupti_);
  return facts;
}

}  // namespace spillway
