#include "cli/sweep_machines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/platform.h"
#include "cli/platform_overrides.h"
#include "core/error.h"

namespace spillway {
namespace {

std::vector<std::string> pieces_of(const std::string& text) {
  std::vector<std::string> pieces;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    pieces.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return pieces;
}

void add_once(std::vector<std::string>& list, const std::string& piece) {
  if (std::ranges::find(list, piece) == list.end()) list.push_back(piece);
}

bool is_device_setting(const std::string& piece) {
  const std::size_t equals = piece.find('=');
  return equals != std::string::npos && piece.find(':') > equals;
}

/// Absent stands for: all that the platform has.
std::vector<std::optional<std::int64_t>> choices(const std::vector<std::int64_t>& numbers) {
  if (numbers.empty()) return {std::nullopt};
  return {numbers.begin(), numbers.end()};
}

SweepMachine changed(const Platform& base, const std::string& name, const PlatformOptions& changes) {
  SweepMachine machine{.platform = name, .gpus = changes.gpus, .nodes = changes.nodes};
  try {
    machine.machine = with_overrides(base, changes);
  } catch (const Error& error) {
    if (error.code() != ExitCode::input) throw;
    machine.reason = error.what();
  }
  return machine;
}

}  // namespace

std::vector<std::string> list_of(const std::vector<std::string>& written) {
  std::vector<std::string> list;
  for (const std::string& text : written) {
    for (const std::string& piece : pieces_of(text)) add_once(list, piece);
  }
  return list;
}

std::vector<std::string> platform_list_of(const std::vector<std::string>& written) {
  std::vector<std::string> list;
  for (const std::string& text : written) {
    std::vector<std::string> joined;
    for (const std::string& piece : pieces_of(text)) {
      const bool goes_on = !joined.empty() && is_device_setting(piece) &&
                           (joined.back().starts_with("cpu:") || joined.back().starts_with("cuda:"));
      if (goes_on) {
        joined.back() += "," + piece;
      } else {
        joined.push_back(piece);
      }
    }
    for (const std::string& piece : joined) add_once(list, piece);
  }
  return list;
}

std::vector<std::int64_t> numbers_of(const std::vector<std::string>& written, const std::string& flag) {
  std::vector<std::int64_t> numbers;
  for (const std::string& text : list_of(written)) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 1)
      throw input_error(fmt::format("{}: found '{}', expected whole numbers above 0 such as 1,2,4", flag, text));
    numbers.push_back(number);
  }
  return numbers;
}

std::vector<SweepMachine> sweep_machines(const SweepOptions& options, const Trace& trace) {
  const auto gpus = choices(numbers_of(options.gpus, "--gpus"));
  const auto nodes = choices(numbers_of(options.nodes, "--nodes"));
  PlatformOptions changes;
  changes.set = options.set;
  changes.gpu = options.gpu;
  std::vector<SweepMachine> machines;
  std::string first_reason;
  bool any = false;
  for (const std::string& name : platform_list_of(options.platforms)) {
    PlatformOptions named;
    named.platform = name;
    const Platform base = platform_for(named, trace, trace.machine);
    const SweepMachine whole = changed(base, name, changes);
    any = any || whole.machine;
    if (first_reason.empty()) first_reason = whole.reason;
    for (const auto& gpu_count : gpus) {
      for (const auto& node_count : nodes) {
        PlatformOptions all = changes;
        all.gpus = gpu_count;
        all.nodes = node_count;
        machines.push_back(changed(base, name, all));
      }
    }
  }
  if (!any) throw input_error(first_reason);  // a slip in --gpu or --set, and no property of one machine
  return machines;
}

}  // namespace spillway
