#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/platform.h"

namespace spillway {

// Machines by name: the files in share/spillway/platforms beside the program's bin/, or, for a program that isn't
// installed, in the source's platforms/.

/// Sorted. Throws Error (exit 3) when neither folder is there.
[[nodiscard]] std::vector<std::string> preset_names();

/// Throws like preset_names; nothing when there is no preset of this name.
[[nodiscard]] std::optional<std::filesystem::path> preset_file(const std::string& name);

/// A GPU by name, as the preset that has it describes it.
struct PresetGpu {
  Gpu gpu;
  Bytes memory;
  std::string memory_source;
};
/// Names that `--gpu` takes.
[[nodiscard]] std::vector<std::string> gpu_names();
/// Throws Error (exit 2) with a near miss when there is no GPU of this name.
[[nodiscard]] PresetGpu preset_gpu(const std::string& name);

}  // namespace spillway
