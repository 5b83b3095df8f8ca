#include "device/spec.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "device/cpu/device.h"
#include "device/gpu.h"

namespace spillway {
namespace {

const std::vector<std::string> kBackends{"cpu", "cuda"};
const std::vector<std::string> kSettings{"link", "in", "out", "both", "start", "threads"};

/// ", did you mean 'x'?" or ", expected one of ...".
std::string hint(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest_name(word, candidates);
  if (!near.empty()) return fmt::format("did you mean '{}'?", near);
  std::string list;
  for (const std::string& candidate : candidates) list += (list.empty() ? "" : ", ") + candidate;
  return "expected one of " + list;
}

int parse_threads(const std::string& text, const std::string& what) {
  int threads = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error != std::errc{} || end != text.data() + text.size() || threads < 1) {
    throw input_error(fmt::format("{}: found '{}', expected a whole number above 0", what, text));
  }
  return threads;
}

int parse_gpu(const std::string& text, const std::string& what) {
  int gpu = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), gpu);
  if (error == std::errc{} && end == text.data() + text.size() && gpu >= 0) return gpu;
  throw input_error(fmt::format("{}: found '{}', expected a GPU's number, from 0, or tf32: cuda:0,tf32", what, text));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos) return parts;
    start = end + 1;
  }
}

/// The shortest of the ways to write `value` in the given units that `read` reads back as it is.
template <class Read>
std::string shortest(double value, std::initializer_list<std::pair<double, const char*>> units, Read read) {
  std::string best = fmt::format("{}", value);
  for (const auto& [factor, unit] : units) {
    const std::string text = fmt::format("{}{}", value / factor, unit);
    if (text.size() < best.size() && read(text) == value) best = text;
  }
  return best;
}

std::string rate_text(BytesPerSecond rate) {
  return shortest(rate.value, {{1e9, "GB/s"}}, [](const std::string& text) { return parse_rate(text, "rate").value; });
}

std::string time_text(Seconds time) {
  return shortest(time.value, {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}},
                  [](const std::string& text) { return parse_seconds(text, "time").value; });
}

/// "N", "tf32" or both, in either order.
void parse_gpu_settings(const std::string& text, const std::string& flag, DeviceSpec& spec) {
  for (const std::string& part : split(text, ',')) {
    const bool again = part == "tf32" ? spec.tf32 : spec.gpu.has_value();
    if (part == "tf32") {
      spec.tf32 = true;
    } else {
      spec.gpu = parse_gpu(part, flag);
    }
    if (again)
      throw input_error(fmt::format("{}: {} is given twice", flag, part == "tf32" ? "tf32" : "a GPU's number"));
  }
}

}  // namespace

DeviceSpec parse_device(const std::string& text) {
  const std::string flag = "--device " + text;
  DeviceSpec spec;
  const std::size_t colon = text.find(':');
  spec.backend = text.substr(0, colon);
  if (spec.backend == "cuda") {
    if (colon != std::string::npos) parse_gpu_settings(text.substr(colon + 1), flag, spec);
    return spec;
  }
  if (spec.backend != "cpu") {
    throw input_error(fmt::format("{}: no device '{}'; {}", flag, spec.backend, hint(spec.backend, kBackends)));
  }
  if (colon == std::string::npos) return spec;

  std::optional<BytesPerSecond> link;
  std::vector<std::string> seen;
  for (const std::string& part : split(text.substr(colon + 1), ',')) {
    const std::size_t equals = part.find('=');
    const std::string key = part.substr(0, equals);
    if (std::ranges::find(kSettings, key) == kSettings.end()) {
      throw input_error(fmt::format("{}: no setting '{}'; {}", flag, key, hint(key, kSettings)));
    }
    if (std::ranges::find(seen, key) != seen.end()) {
      throw input_error(fmt::format("{}: '{}' is set twice", flag, key));
    }
    seen.push_back(key);
    const std::string what = fmt::format("{}: {}", flag, key);
    if (equals == std::string::npos || equals + 1 == part.size()) {
      throw input_error(fmt::format("{}: found no value, expected '{}=...'", what, key));
    }
    const std::string value = part.substr(equals + 1);
    if (key == "link") link = parse_rate(value, what);
    if (key == "in") spec.in = parse_rate(value, what);
    if (key == "out") spec.out = parse_rate(value, what);
    if (key == "both") spec.both = parse_rate(value, what);
    if (key == "start") spec.start = parse_seconds(value, what);
    if (key == "threads") spec.threads = parse_threads(value, what);
  }
  if (!spec.in) spec.in = link;
  if (!spec.out) spec.out = link;
  return spec;
}

bool says_tf32(const std::string& text) {
  const std::string cuda = "cuda:";
  if (!text.starts_with(cuda)) return false;
  const std::vector<std::string> settings = split(text.substr(cuda.size()), ',');
  return std::ranges::find(settings, "tf32") != settings.end();
}

std::string to_text(const DeviceSpec& spec) {
  if (spec.backend == "cuda") {
    const std::string which = spec.gpu ? fmt::format("cuda:{}", *spec.gpu) : "cuda";
    return which + (!spec.tf32 ? "" : spec.gpu ? ",tf32" : ":tf32");
  }
  std::string settings;
  const auto add = [&](const char* key, const std::string& value) {
    settings += fmt::format("{}{}={}", settings.empty() ? ":" : ",", key, value);
  };
  if (spec.in && spec.in == spec.out) {
    add("link", rate_text(*spec.in));
  } else {
    if (spec.in) add("in", rate_text(*spec.in));
    if (spec.out) add("out", rate_text(*spec.out));
  }
  if (spec.both) add("both", rate_text(*spec.both));
  if (spec.start) add("start", time_text(*spec.start));
  if (spec.threads) add("threads", std::to_string(*spec.threads));
  return spec.backend + settings;
}

DeviceSpec for_rank(DeviceSpec spec, int rank_on_node, int gpus) {
  // Round and round: a launcher may show each rank no GPU but its own. Two that have one then are found out by its
  // UUID.
  if (spec.backend == "cuda" && !spec.gpu && gpus > 0) spec.gpu = rank_on_node % gpus;
  return spec;
}

std::unique_ptr<Device> make_device(const DeviceSpec& spec) {
  if (spec.backend == "cuda") return make_gpu(spec.gpu.value_or(0), spec.tf32);
  SPILLWAY_CHECK(spec.backend == "cpu", "a backend that parse_device doesn't give");
  return make_cpu_device(spec);
}

}  // namespace spillway
