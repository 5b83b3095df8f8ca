#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/draw_platform.h"
#include "cli/output.h"
#include "cli/presets.h"
#include "core/io/files.h"
#include "models/models.h"
#include "tuner/tune.h"

namespace spillway {
namespace {

void list_models() {
  for (const Model& model : models()) {
    fmt::print("{}  {}\n", model.name, model.help);
    std::vector<std::pair<std::string, std::string>> facts;
    for (const SettingDescription& setting : model.settings) {
      facts.emplace_back(
          "--set " + setting.name,
          setting.help + (setting.default_value.empty() ? "" : fmt::format(" [{}]", setting.default_value)));
    }
    facts.emplace_back("--optimizer", fmt::format("adam or sgd [{}]", model.default_optimizer));
    print_facts(facts);
  }
}

void list_policies() {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const PolicyDescription& policy : policies()) {
    facts.emplace_back(policy.name, policy.help);
    facts.emplace_back("", "(" + policy.source + ")");
  }
  print_facts(facts);
}

void list_devices() {
  fmt::print(
      "cpu   this machine's processor, one compute thread fewer than cores\n"
      "  link=0.85GB/s    pace copies both ways, as a link of that rate would\n"
      "  in=, out=        the same for one direction\n"
      "  both=            what both directions may carry together\n"
      "  start=10us       from a copy's issue to its first byte\n"
      "  threads=N        compute threads\n"
      "written as: cpu:link=0.85GB/s,threads=1\n"
      "cuda  an NVIDIA GPU\n"
      "  0, 1, ...        which one; under mpirun each rank takes the next\n"
      "  tf32             its tensor cores too, with inputs rounded to TF32\n"
      "written as: cuda:0,tf32\n");
}

void list_platforms() {
  fmt::print("{:<13}{:<19}{:>9}   {}\n", "preset", "GPUs of a node", "memory", "host link, GB/s each GPU");
  for (const std::string& name : preset_names()) {
    const Platform platform = read_platform(preset_file(name)->string());
    const HostLink& link = platform.host_link;
    const std::string mark = mark_of(link.in.source);
    fmt::print("{:<13}{:>2} {:<16}{:>9}   {:>5.1f} in {:>5.1f} out, {}\n", name, platform.gpus_per_node,
               platform.gpu ? platform.gpu->name : "GPU", to_text(platform.device_memory), link.in.value.value / 1e9,
               link.out.value.value / 1e9, mark);
  }
  fmt::print(
      "\n'spillway show NAME' draws one and tells where its figures come from.\n"
      "--platform also takes a platform file, or a device string: the traced machine\n"
      "with another link, such as cpu:link=0.85GB/s.\n");
}

}  // namespace

ExitCode run_list(const ListOptions& options) {
  if (options.what == "models") {
    list_models();
  } else if (options.what == "policies") {
    list_policies();
  } else if (options.what == "devices") {
    list_devices();
  } else if (options.what == "platforms") {
    list_platforms();
  } else {
    const std::vector<std::string> known{"models", "platforms", "policies", "devices"};
    const std::string near = nearest_name(options.what, known);
    throw input_error(fmt::format("list: found '{}', expected one of models, platforms, policies, devices{}",
                                  options.what, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  return ExitCode::yes;
}

}  // namespace spillway
