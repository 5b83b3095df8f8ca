#include "cli/platform_overrides.h"

#include <fmt/format.h>

#include "cli/presets.h"
#include "core/error.h"
#include "core/io/platform_setting.h"

namespace spillway {
namespace {

bool is_cpu(const Platform& platform) {
  return platform.device.starts_with("cpu");
}

void set_gpu(Platform& platform, const std::string& name) {
  PresetGpu preset = preset_gpu(name);
  if (is_cpu(platform)) {
    throw input_error(fmt::format(
        "--gpu {}: '{}' has no GPU to put another in place of; name a machine with --platform", name, platform.name));
  }
  platform.gpu = std::move(preset.gpu);
  platform.device_memory = preset.memory;
  platform.device_memory_source = std::move(preset.memory_source);
}

Platform with_one_setting(const Platform& platform, const std::string& setting) {
  const std::string what = "--set " + setting;
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == setting.size())
    throw input_error(what + ": expected PATH=VALUE such as host_link.bandwidth_bytes_per_second=64GB/s");
  return with_setting(platform, setting.substr(0, equals), setting.substr(equals + 1), what);
}

void set_gpus(Platform& platform, std::int64_t gpus) {
  if (is_cpu(platform)) {  // ranks share it, as many as are asked for
    platform.gpus_per_node = gpus;
    return;
  }
  if (gpus > platform.gpus_per_node) {
    throw input_error(fmt::format("--gpus: found {}, expected at most {}: what a node of '{}' has; --nodes gives more",
                                  gpus, platform.gpus_per_node, platform.name));
  }
  std::optional<Platform> part = with_gpus(platform, gpus);
  if (!part) {
    throw input_error(fmt::format(
        "--gpus: found {}, which the sockets and switches of '{}' can't share evenly; it has {} GPUs a node", gpus,
        platform.name, platform.gpus_per_node));
  }
  platform = std::move(*part);
}

}  // namespace

Platform with_overrides(Platform platform, const PlatformOptions& options) {
  std::string changes;
  if (options.gpu) {
    set_gpu(platform, *options.gpu);
    changes += " --gpu " + *options.gpu;
  }
  for (const std::string& setting : options.set) {
    platform = with_one_setting(platform, setting);
    changes += " --set " + setting;
  }
  if (options.gpus) {
    set_gpus(platform, *options.gpus);
    changes += fmt::format(" --gpus {}", *options.gpus);
  }
  if (options.nodes) {
    platform.nodes = *options.nodes;
    changes += fmt::format(" --nodes {}", *options.nodes);
  }
  if (!changes.empty()) platform.name += " with" + changes;
  return platform;
}

}  // namespace spillway
