#include "cli/presets.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/io/files.h"

namespace spillway {
namespace fs = std::filesystem;

namespace {

/// Whose preset has which GPU.
struct GpuName {
  const char* name;
  const char* preset;
};
constexpr GpuName kGpus[] = {{"v100", "dgx1-v100"},      {"v100-pcie", "x86-pcie3-4"}, {"a100", "dgx-a100"},
                             {"a100-pcie", "a100-pcie"}, {"h100", "dgx-h100"},         {"gh200", "gh200"},
                             {"gb300", "gb300"},         {"rtx4090", "rtx4090"},       {"l4", "l4"}};

/// Set by CMake: from the folder of the installed program to that of the presets, and where the source has them.
constexpr const char* kFromProgram = SPILLWAY_PLATFORMS_FROM_BIN;
constexpr const char* kInSource = SPILLWAY_PLATFORMS_IN_SOURCE;

fs::path folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = (program.parent_path() / kFromProgram).lexically_normal();
  if (!error && fs::is_directory(installed)) return installed;
  if (fs::is_directory(kInSource)) return kInSource;
  throw machine_error(fmt::format("no platform presets: neither '{}' nor '{}' is there; install Spillway again",
                                  installed.string(), kInSource));
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder())) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

std::optional<fs::path> preset_file(const std::string& name) {
  const std::vector<std::string> names = preset_names();
  if (std::ranges::find(names, name) == names.end()) return std::nullopt;
  return folder() / (name + ".json");
}

std::vector<std::string> gpu_names() {
  std::vector<std::string> names;
  for (const GpuName& gpu : kGpus) names.emplace_back(gpu.name);
  return names;
}

PresetGpu preset_gpu(const std::string& name) {
  const auto* const found = std::ranges::find(kGpus, name, &GpuName::name);
  if (found == std::end(kGpus)) {
    const std::vector<std::string> names = gpu_names();
    const std::string near = nearest_name(name, names);
    throw input_error(fmt::format("--gpu: found '{}', expected one of {}{}", name, fmt::join(names, ", "),
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  const std::optional<fs::path> file = preset_file(found->preset);
  if (!file) throw machine_error(fmt::format("--gpu {}: its preset '{}' isn't installed", name, found->preset));
  Platform platform = read_platform(file->string());
  SPILLWAY_CHECK(platform.gpu.has_value(), "a preset without a GPU");
  return {.gpu = std::move(*platform.gpu),
          .memory = platform.device_memory,
          .memory_source = std::move(platform.device_memory_source)};
}

}  // namespace spillway
