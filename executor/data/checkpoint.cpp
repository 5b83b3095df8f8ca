#include "executor/data/checkpoint.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "core/error.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-", kSuffix = ".safetensors";
constexpr std::size_t kKept = 2;

std::string file_name(std::int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return std::string(kPrefix) + digits + std::string(kSuffix);
}

/// Reads all of `text` as a number.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> step_of(std::string_view name) {
  if (name.size() < kPrefix.size() + kSuffix.size() || !name.starts_with(kPrefix) || !name.ends_with(kSuffix))
    return std::nullopt;
  const auto step = number<std::int64_t>(name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size()));
  return step && *step >= 0 && file_name(*step) == name ? step : std::nullopt;
}

/// The steps that the directory has checkpoints of, ascending.
std::vector<std::int64_t> steps_in(const std::string& directory) {
  std::vector<std::int64_t> steps;
  std::error_code error;
  if (!fs::exists(directory, error)) return steps;
  const fs::directory_iterator entries(directory, error);
  if (error) throw input_error(directory + ": can't be read: " + error.message());
  for (const fs::directory_entry& entry : entries) {
    if (const auto step = step_of(entry.path().filename().string())) steps.push_back(*step);
  }
  std::ranges::sort(steps);
  return steps;
}

/// The shortest text that reads back as the same double.
std::string text_of(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  SPILLWAY_CHECK(error == std::errc(), "a double needs at most 24 characters");
  return {text.data(), end};
}

Metadata metadata_of(const Progress& progress) {
  std::string losses;
  for (const double loss : progress.losses) losses += (losses.empty() ? "" : " ") + text_of(loss);
  return {{"format", "spillway-checkpoint"},       {"version", "1"},
          {"step", std::to_string(progress.step)}, {"seed", std::to_string(progress.seed)},
          {"trace_sha256", progress.trace_sha256}, {"losses", losses}};
}

class MetadataReader {
 public:
  explicit MetadataReader(const SafetensorsFile& file) : file_(file) {}

  [[nodiscard]] const std::string& text(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end()) refuse(key, "nothing", "what a checkpoint of ours says");
    return found->second;
  }
  [[nodiscard]] std::uint64_t whole(const std::string& key) const {
    const auto value = number<std::uint64_t>(text(key));
    if (!value) refuse(key, "'" + text(key) + "'", "a whole number");
    return *value;
  }
  [[nodiscard]] std::vector<double> numbers(const std::string& key) const {
    std::vector<double> values;
    std::string_view rest = text(key);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      const auto value = number<double>(rest.substr(0, end));
      if (!value) refuse(key, "'" + std::string(rest.substr(0, end)) + "'", "numbers with a blank between them");
      values.push_back(*value);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return values;
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& found, const std::string& expected) const {
    throw input_error(file_.path() + ": /__metadata__/" + key + ": found " + found + ", expected " + expected);
  }

 private:
  const SafetensorsFile& file_;
};

Progress progress_in(const SafetensorsFile& file) {
  const MetadataReader reader(file);
  if (reader.text("format") != "spillway-checkpoint") {
    reader.refuse("format", "'" + reader.text("format") + "'", "'spillway-checkpoint'");
  }
  if (reader.text("version") != "1") reader.refuse("version", "'" + reader.text("version") + "'", "'1'");
  return {.step = static_cast<std::int64_t>(reader.whole("step")),
          .seed = reader.whole("seed"),
          .trace_sha256 = reader.text("trace_sha256"),
          .losses = reader.numbers("losses")};
}

}  // namespace

void save_checkpoint(const std::string& directory, const Graph& graph, std::span<const BufferValues> values,
                     const Progress& progress) {
  SPILLWAY_CHECK(values.size() == lasting_buffers(graph).size(), directory);
  SPILLWAY_CHECK(progress.step >= 0, directory);
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw machine_error(directory + ": can't be made: " + error.message());
  save_values((fs::path(directory) / file_name(progress.step)).string(), graph, values, metadata_of(progress));
  // Only what is older than the new one: it must never remove itself.
  std::vector<std::int64_t> steps = steps_in(directory);
  std::erase_if(steps, [&](std::int64_t step) { return step > progress.step; });
  for (std::size_t i = 0; i + kKept < steps.size(); ++i) fs::remove(fs::path(directory) / file_name(steps[i]), error);
}

std::optional<std::string> newest_checkpoint(const std::string& directory) {
  const std::vector<std::int64_t> steps = steps_in(directory);
  if (steps.empty()) return std::nullopt;
  return (fs::path(directory) / file_name(steps.back())).string();
}

void require_no_checkpoint(const std::string& directory) {
  if (const auto newest = newest_checkpoint(directory)) {
    throw input_error(
        *newest + ": found the checkpoint of an earlier training, expected none; use --resume or another directory");
  }
}

Checkpoint::Checkpoint(const std::string& path, const Graph& graph) : file_(path) {
  progress_ = progress_in(file_);
  const std::vector<BufferId> wanted = lasting_buffers(graph);
  require_values(file_, graph, wanted);
  values_ = values_of(file_, graph, wanted);
}

void save_weights(const std::string& path, const Graph& graph, std::span<const BufferValues> values) {
  std::vector<BufferValues> weights;
  for (const BufferId buffer : weight_buffers(graph)) {
    const auto found = std::ranges::find(values, buffer, &BufferValues::buffer);
    SPILLWAY_CHECK(found != values.end(), graph.buffers[buffer].name);
    weights.push_back(*found);
  }
  save_values(path, graph, weights, {{"format", "spillway-weights"}, {"version", "1"}});
}

Weights::Weights(const std::string& path, const Graph& graph) : file_(path) {
  const std::vector<BufferId> wanted = weight_buffers(graph);
  require_values(file_, graph, wanted);
  values_ = values_of(file_, graph, wanted);
}

}  // namespace spillway
