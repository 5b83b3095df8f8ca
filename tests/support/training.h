#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "core/schedule.h"
#include "core/trace.h"
#include "device/device.h"
#include "executor/step_issue.h"

// From a model's name to losses, for tests that cross folders.

namespace spillway {

/// A network small enough that a training step takes milliseconds.
struct TinyModel {
  std::string name;
  std::vector<std::string> settings;
  std::int64_t batch = 2;
  Layout layout = Layout::channels_last;
};
inline void PrintTo(const TinyModel& model, std::ostream* out) {
  *out << model.name;
}
inline const TinyModel kTinyMlp{"mlp", {"width=64", "depth=3", "inputs=48"}, 8};
inline const TinyModel kTinyUnet{"unet3d", {"size=16x16x16", "base=4", "depth=3", "channels=2", "classes=2"}, 2};
inline const TinyModel kTinyResnet{"resnet", {"depth=18", "side=32", "classes=10", "base=16"}, 2};
/// Its parameters outweigh its activations.
inline const TinyModel kHeavyMlp{"mlp", {"width=256", "depth=3", "inputs=256"}, 2};

/// The same network in another layout.
[[nodiscard]] inline TinyModel in_layout(TinyModel model, Layout layout) {
  model.layout = layout;
  return model;
}
/// As a test's name: "unet3d_channels_first".
[[nodiscard]] inline std::string test_name(const TinyModel& model) {
  return model.layout == Layout::channels_first ? model.name + "_channels_first" : model.name;
}

/// Profiles on this machine's device, each op once.
[[nodiscard]] Trace profile_tiny(const TinyModel& model, const std::string& device = "cpu");
/// The same on a device that is there already.
[[nodiscard]] Trace profile_tiny(const TinyModel& model, Device& device);

/// The policy's plan at a share of the footprint, lowered and verified; empty when it finds none.
[[nodiscard]] std::optional<Schedule> schedule_at(const Trace& trace, const std::string& policy, double share);
/// The policy's plan at the smallest capacity that it can do with.
[[nodiscard]] std::optional<Schedule> smallest_schedule(const Trace& trace, const std::string& policy);

/// Puts a wrapper around the device.
using Wrap = std::function<std::unique_ptr<Device>(Device&)>;
/// Trains on synthetic data, seed 1; one loss a step.
[[nodiscard]] std::vector<float> losses_of(const Trace& trace, const Schedule& schedule, std::int64_t steps,
                                           const Wrap& wrap = {}, Issue issue = Issue::fastest);

}  // namespace spillway
