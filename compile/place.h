#pragma once

#include <vector>

#include "core/schedule.h"

namespace spillway {

/// Where the residencies lie.
struct Placement {
  IdVector<ResidencyId, Bytes> offsets;
  Bytes arena_bytes;  ///< highest offset used
};

/// Gives each residency an offset so that no two at one position overlap. A residency that spans the step's end is one
/// arc: one offset, occupied at both ends. Sizes are multiples of the alignment already.
///
/// Residencies go, in a fixed order, to the tightest or the lowest gap among those placed before. Orders tried: by
/// size, by size times positions, by positions, each descending. While the result is above the peak of live bytes,
/// lower limits are tried by halving: an attempt ends at the first residency that doesn't fit below the limit, which
/// then moves to half its place in the order, at most `rounds` times an order. The best result counts; same input, same
/// output. Source: greedy by size for offset calculation, as in Pisarchyk and Lee, arXiv 2001.03288, section 5; the
/// halving and the reordering are ours. Cost: O(rounds * n * d log d) for n residencies that meet d others each.
[[nodiscard]] Placement place(const IdVector<ResidencyId, Residency>& residencies, std::size_t positions,
                              Bytes peak_live_bytes, int rounds);

}  // namespace spillway
