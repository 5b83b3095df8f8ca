#pragma once

#include <cstdint>
#include <vector>

namespace spillway {

/// How much of a resource a flow takes: `count` bytes pass it for each byte of the flow.
struct Usage {
  std::uint32_t resource = 0;
  double count = 1;
  friend auto operator<=>(const Usage&, const Usage&) = default;
};

/// Max-min fair rates: all flows' rates rise together until a resource is full; its flows stay there, the others rise
/// on. Requires: every flow passes a resource. `active` lists flows; inactive ones get 0. The textbook algorithm
/// (Bertsekas and Gallager, Data Networks, section 6.5.2), with flows that pass a resource more than once or stand for
/// several. Cost: O(flows * usages) for each resource that fills.
[[nodiscard]] std::vector<double> fair_rates(const std::vector<double>& capacities,
                                             const std::vector<std::vector<Usage>>& flows,
                                             const std::vector<std::uint32_t>& active);

}  // namespace spillway
