#include "device/cuda/gpu_libraries.h"

#include <fmt/format.h>

#include <memory>

namespace spillway {

std::pair<std::string, std::string> library_fact(const std::string& name, const std::string& version,
                                                 const std::string& why, const std::string& means) {
  return {name, version.empty() ? fmt::format("missing: {}; {}", why, means) : version};
}

std::vector<std::pair<std::string, std::string>> tool_facts(const ToolLibraries& libraries) {
  std::string why_no_nvml, why_no_cupti, driver;
  if (const std::unique_ptr<Nvml> nvml = Nvml::open(libraries.nvml, why_no_nvml)) {
    driver = nvml->driver_version();
    driver = driver.empty() ? "of a driver that doesn't tell its version" : "of driver " + driver;
  }
  const std::unique_ptr<CuptiKernels> cupti = CuptiKernels::open(libraries.cupti, why_no_cupti);
  const std::string name = "CUPTI ";  // version() begins with it
  return {library_fact("NVML", driver, why_no_nvml, "profiles don't tell clocks or throttling"),
          library_fact("CUPTI", cupti ? cupti->version().substr(name.size()) : "", why_no_cupti,
                       "profiles have no kernels' names and device times")};
}

}  // namespace spillway
