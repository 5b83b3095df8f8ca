#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/graph.h"
#include "executor/data/inputs.h"

namespace spillway {

/// Where the batches of a training come from. What a batch holds is a function of the source, the seed and the batch's
/// index alone, so a training that is resumed sees what an uninterrupted one sees. With several micro-batches or ranks
/// each of them is a batch: give it the index (step * ranks + rank) * micro_batches + micro_batch.
///
/// One thread at a time.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  /// What `fill` can be asked for, by tensor id.
  [[nodiscard]] virtual const std::vector<InputDescription>& inputs() const = 0;
  /// Batches after which every sample was seen once; empty: no sample comes twice.
  [[nodiscard]] virtual std::optional<std::int64_t> batches_per_epoch() const = 0;
  /// Writes batch `index` (from 0, without end) of an input, in the order in which the device wants it.
  /// Requires: `input` is one of inputs(), `destination` holds exactly the tensor's bytes at this batch.
  virtual void fill(TensorId input, std::int64_t index, std::span<std::byte> destination) = 0;
};

/// Batches from `directory`, which holds one .npy file for each input of the graph, named after it: `image.npy`. The
/// first extent counts the samples and is the same in all files, the others are the tensor's logical extents ([C, D, H,
/// W]). A file's type is the tensor's or a narrower one that loses nothing: uint8 for any (0..255 stay 0..255), int32
/// for int64. Files are mapped, not loaded.
///
/// Each epoch goes through all samples in the order of shuffled_order(samples, seed, epoch); a last, smaller batch is
/// dropped. Throws Error (exit 2) of one line: a missing file, another shape or type, fewer samples than a batch, a
/// class label out of range.
[[nodiscard]] std::unique_ptr<BatchSource> batches_from_files(const Graph& graph, std::int64_t batch,
                                                              const std::string& directory, std::uint64_t seed);

/// Batches made up from the seed. Element i (logical order) of sample s is made from u = element s * elements + i of
/// fill_uniform(name of the input, seed, 0, 1): class labels are floor(u * classes), Dice labels u < 0.5, other floats
/// u. Batch b holds the samples from b * batch on. Throws Error (exit 2) naming an input of whole numbers of which the
/// graph doesn't say how large they may be.
[[nodiscard]] std::unique_ptr<BatchSource> synthetic_batches(const Graph& graph, std::int64_t batch,
                                                             std::uint64_t seed);

}  // namespace spillway
