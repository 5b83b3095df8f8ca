#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "tuner/problem.h"

namespace spillway {

/// How long a buffer stays after the use before its gap.
enum class Linger {
  none,    ///< its bytes are free right after the use
  copied,  ///< until its swap-out is likely through, so that who gets its bytes needn't wait
  memory,  ///< as long as the budget allows
};

/// How the stays around the gaps are made longer than they must be.
struct StretchLimits {
  static constexpr std::int64_t kAnyAhead = std::numeric_limits<std::int64_t>::max();
  Bytes budget;                    ///< live bytes at every position
  std::int64_t ahead = kAnyAhead;  ///< a swap-in begins at most so many positions before its reader
  Linger linger = Linger::copied;
};

/// Decides for each chosen gap when to leave and when to be back: first as late, then as early as the limits allow, so
/// that copies have time and nobody waits for them. A buffer that could then stay throughout is kept, unless the user
/// wants it swapped.
///
/// Releases are handed out in the order of the gaps' beginnings, begins in the order of the readers; a swap-in never
/// begins before that of an earlier reader, since copies run in the order of `begin`. Empty when even the shortest
/// stays have more bytes live than the budget. Cost: O(gaps * positions).
[[nodiscard]] std::optional<std::vector<Away>> stretch_stays(const Problem& problem,
                                                             const std::vector<std::size_t>& chosen,
                                                             const StretchLimits& limits);

/// The shortest stays: gone right after the use before the gap, back right at the use behind it.
[[nodiscard]] std::vector<Away> shortest_stays(const Problem& problem, const std::vector<std::size_t>& chosen);

}  // namespace spillway
