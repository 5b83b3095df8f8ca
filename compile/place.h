#pragma once

#include <vector>

#include "core/schedule.h"

namespace spillway {

/// Where the residencies lie.
struct Placement {
  IdVector<ResidencyId, Bytes> offsets;
  Bytes arena_bytes;  ///< highest offset used
};

/// How hard to try.
struct PlaceEffort {
  int rounds = 0;  ///< reorderings per order and limit
  Bytes enough;    ///< an arena of this size ends the work; at or below the peak of live bytes: as small as can be
};

/// Gives each residency an offset so that no two at one position overlap. A residency that spans the step's end is one
/// arc: one offset, occupied at both ends. Sizes are multiples of the alignment already.
///
/// What is there at every position lies at the bottom. The others go, in a fixed order, to the tightest or the lowest
/// gap among those placed before. Orders tried: by size, by size times positions, by positions, each descending. While
/// the result is above `enough`, that is tried as a limit, and then, if asked for, limits by halving: an attempt ends
/// at the first residency that doesn't fit below the limit, which then moves to half its place in the order, at most
/// `rounds` times an order. The best result counts; same input, same output. Source: greedy by size for offset
/// calculation, as in Pisarchyk and Lee, arXiv 2001.03288, section 5; the halving and the reordering are ours. Cost:
/// O(n^2) an attempt for n residencies that aren't there all the time.
[[nodiscard]] Placement place(const IdVector<ResidencyId, Residency>& residencies, std::size_t positions,
                              Bytes peak_live_bytes, const PlaceEffort& effort);

}  // namespace spillway
