#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/graph.h"
#include "executor/data/saved_values.h"

namespace spillway {

/// How far a training is, beside what its buffers hold.
struct Progress {
  std::int64_t step = 0;  ///< completed steps
  std::uint64_t seed = 0;
  std::string trace_sha256;
  std::vector<double> losses;  ///< of the completed steps, as far as they were kept
  friend bool operator==(const Progress&, const Progress&) = default;
};

/// Writes DIRECTORY/step-000123.safetensors with all lasting buffers, atomically, and then removes older checkpoints so
/// that two are left. Makes the directory if it is missing. Requires: `values` has all of lasting_buffers(graph).
/// Throws Error (exit 2 or 3); then the earlier checkpoints are still there.
void save_checkpoint(const std::string& directory, const Graph& graph, std::span<const BufferValues> values,
                     const Progress& progress);

/// The file of the checkpoint with the highest step; empty when the directory has none or doesn't exist.
[[nodiscard]] std::optional<std::string> newest_checkpoint(const std::string& directory);

/// For a training from the start: throws Error (exit 2) when the directory holds a checkpoint, which a later resume
/// would take for ours.
void require_no_checkpoint(const std::string& directory);

/// A checkpoint that was read and fits the graph.
class Checkpoint {
 public:
  /// Throws Error (exit 2) of one line saying how the file differs from what the graph needs.
  Checkpoint(const std::string& path, const Graph& graph);

  [[nodiscard]] const Progress& progress() const { return progress_; }
  /// All lasting buffers, by id. They live as long as this object.
  [[nodiscard]] const std::vector<BufferValues>& values() const { return values_; }

 private:
  SafetensorsFile file_;
  Progress progress_;
  std::vector<BufferValues> values_;
};

/// Writes the trained network: weight_buffers(graph) of `values`, which may have more. Throws as write_file_atomically
/// does.
void save_weights(const std::string& path, const Graph& graph, std::span<const BufferValues> values);

/// A weights file, or a checkpoint, that fits the graph's weight_buffers.
class Weights {
 public:
  /// Throws as Checkpoint does.
  Weights(const std::string& path, const Graph& graph);

  /// By buffer id. They live as long as this object.
  [[nodiscard]] const std::vector<BufferValues>& values() const { return values_; }

 private:
  SafetensorsFile file_;
  std::vector<BufferValues> values_;
};

}  // namespace spillway
