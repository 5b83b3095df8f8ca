#include "comm/pieces.h"

namespace spillway {

Pieces::Pieces(std::span<const std::span<float>> pieces) : pieces_(pieces) {
  starts_.reserve(pieces.size() + 1);
  starts_.push_back(0);
  for (const std::span<float> piece : pieces) starts_.push_back(starts_.back() + piece.size());
}

std::size_t Pieces::piece_of(std::size_t position) const {
  // Of several that start there, empty ones come first: the last one has the float.
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), position);
  return static_cast<std::size_t>(after - starts_.begin()) - 1;
}

float* Pieces::side_by_side(std::size_t first, std::size_t count) const {
  const std::size_t piece = piece_of(first);
  if (piece >= pieces_.size() || first + count > starts_[piece + 1]) return nullptr;
  return pieces_[piece].data() + (first - starts_[piece]);
}

}  // namespace spillway
