#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace spillway {

/// A view of pieces laid end to end. It doesn't own them.
class Pieces {
 public:
  /// Where a range of the whole lies in one piece.
  struct Run {
    std::size_t piece, first, count;  ///< floats [first, first + count) of that piece
    std::size_t position;             ///< of its first float in the range that was asked for
  };

  /// Cost: one pass over the list of pieces.
  explicit Pieces(std::span<const std::span<float>> pieces);

  [[nodiscard]] std::size_t floats() const { return starts_.back(); }

  /// Floats [first, first + count) of the whole where they lie side by side in memory, else null.
  [[nodiscard]] float* side_by_side(std::size_t first, std::size_t count) const;

  /// Calls `visit(Run)` for floats [first, first + count) of the whole, in order, without empty runs.
  template <typename Visit>
  void for_each_run(std::size_t first, std::size_t count, Visit visit) const {
    std::size_t position = 0;
    for (std::size_t piece = piece_of(first); position < count; ++piece) {
      const std::size_t begin = first + position - starts_[piece];
      const std::size_t length = std::min(pieces_[piece].size() - begin, count - position);
      if (length > 0) visit(Run{.piece = piece, .first = begin, .count = length, .position = position});
      position += length;
    }
  }
  /// The floats of a run.
  [[nodiscard]] std::span<float> at(const Run& run) const { return pieces_[run.piece].subspan(run.first, run.count); }

 private:
  std::span<const std::span<float>> pieces_;
  std::vector<std::size_t> starts_;  ///< where each piece starts in the whole; the last one is the whole's size
  /// The piece that float `position` of the whole lies in.
  [[nodiscard]] std::size_t piece_of(std::size_t position) const;
};

}  // namespace spillway
