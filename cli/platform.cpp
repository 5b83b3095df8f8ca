#include "cli/platform.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/platform_overrides.h"
#include "cli/presets.h"
#include "core/error.h"
#include "core/io/files.h"
#include "device/spec.h"

namespace spillway {
namespace {

Rate limited(const std::string& text, std::optional<BytesPerSecond> asked, const Rate& measured) {
  if (!asked) return measured;
  if (*asked > measured.value) {
    throw machine_error(fmt::format("--platform {}: the traced machine copies {}; ask for at most that", text,
                                    to_text(measured.value)));
  }
  return {.value = *asked, .source = "set in the device string"};
}

Platform with_link(const std::string& text, const Trace& trace) {
  DeviceSpec spec = parse_device(text);
  Platform platform = trace.machine;
  HostLink& link = platform.host_link;
  const HostLink measured = link;
  link.in = limited(text, spec.in, measured.in);
  link.out = limited(text, spec.out, measured.out);
  if (spec.both)
    link.both = limited(text, spec.both,
                        measured.both.value_or(Rate{{measured.in.value.value + measured.out.value.value}, ""}));
  if (spec.start) link.start += *spec.start;
  const DeviceSpec traced = parse_device(trace.machine.device);
  if (!spec.threads) spec.threads = traced.threads;
  if (spec.tf32 && !traced.tf32) {
    throw input_error(fmt::format(
        "--platform {}: the trace's kernels don't round to TF32; record them with 'spillway profile --tf32'", text));
  }
  spec.tf32 = traced.tf32;
  platform.device = to_text(spec);
  platform.name = fmt::format("{} as {}", trace.machine.name, text);
  return platform;
}

Platform named(const std::string& text, const Trace& trace) {
  const std::string backend = text.substr(0, text.find(':'));
  if (backend == "cpu" || backend == "cuda") return with_link(text, trace);
  if (std::filesystem::exists(text)) return read_platform(text);
  if (const auto preset = preset_file(text)) return read_platform(preset->string());
  const std::string near = nearest_name(text, preset_names());
  throw input_error(
      fmt::format("--platform: found '{}', expected a preset ('spillway list platforms'), a platform file that is "
                  "there or a device such as cpu:link=0.85GB/s{}",
                  text, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace

Platform platform_for(const PlatformOptions& options, const Trace& trace, const Platform& otherwise) {
  return with_overrides(options.platform ? named(*options.platform, trace) : otherwise, options);
}

}  // namespace spillway
