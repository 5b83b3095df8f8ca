#pragma once

#include <functional>
#include <string>
#include <vector>

#include "comm/communicator.h"

// What every communicator must do, whatever its ranks are: bodies that each rank runs. They fail by GoogleTest's
// EXPECT_ on the rank that sees the mistake.

namespace spillway {

struct ConformanceCase {
  std::string name;  ///< a sentence without spaces
  std::function<void(Communicator&)> body;
};

[[nodiscard]] const std::vector<ConformanceCase>& conformance_cases();

/// Float `index` of rank `rank`: of many magnitudes and both signs, so that the order of addition shows, with some
/// negative zeros, so that starting from zero shows.
[[nodiscard]] float made_up_float(int rank, std::size_t index);
/// What the sum of every rank's made-up floats must be, to the last bit: the plain loop over ranks.
[[nodiscard]] float rank_order_sum(int ranks, std::size_t index, float scale);

}  // namespace spillway
