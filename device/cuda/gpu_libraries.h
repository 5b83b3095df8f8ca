#pragma once

#include <string>
#include <utility>
#include <vector>

#include "device/cuda/gpu_tools.h"

namespace spillway {

/// A library's name with its version or, where that is empty, why it isn't there and what that means:
/// {"NCCL", "missing: libnccl.so.2: cannot open ...; all-reduces go through host memory"}.
[[nodiscard]] std::pair<std::string, std::string> library_fact(const std::string& name, const std::string& version,
                                                               const std::string& why, const std::string& means);

/// library_fact of NVML and CUPTI, which are loaded for it. Needs no GPU.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> tool_facts(const ToolLibraries& libraries = {});

}  // namespace spillway
