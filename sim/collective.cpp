#include "sim/collective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace spillway {
namespace {

using Ranks = std::vector<std::int64_t>;

/// Rings through all GPUs of a node, found by trying them one after the other.
class RingPacker {
 public:
  RingPacker(const GpuLinks& links, std::int64_t gpus)
      : gpus_(static_cast<std::size_t>(gpus)), bricks_(gpus_ * gpus_, 0) {
    for (const Bricks& pair : links.bricks) {
      if (pair.a >= gpus || pair.b >= gpus) continue;
      const auto a = static_cast<std::size_t>(pair.a), b = static_cast<std::size_t>(pair.b);
      bricks_[a * gpus_ + b] += pair.count;
      bricks_[b * gpus_ + a] += pair.count;
    }
    ring_ = {0};
    walk();
  }

  std::int64_t most() {
    std::int64_t bound = std::numeric_limits<std::int64_t>::max();
    for (std::size_t a = 0; a < gpus_; ++a) {
      const auto row = bricks_.begin() + static_cast<std::ptrdiff_t>(a * gpus_);
      bound = std::min(bound, std::accumulate(row, row + static_cast<std::ptrdiff_t>(gpus_), std::int64_t{0}) / 2);
    }
    bound_ = bound;
    pack(0, 0);
    return best_;
  }

 private:
  void walk() {
    const std::size_t last = ring_.back();
    if (ring_.size() == gpus_) {
      // Each ring once: of its two directions the one whose second GPU is the smaller neighbour of GPU 0.
      if (bricks_[last * gpus_] > 0 && ring_[1] < last) rings_.push_back(ring_);
      return;
    }
    for (std::size_t next = 1; next < gpus_; ++next) {
      if (bricks_[last * gpus_ + next] == 0 || std::ranges::find(ring_, next) != ring_.end()) continue;
      ring_.push_back(next);
      walk();
      ring_.pop_back();
    }
  }

  bool take(const std::vector<std::size_t>& ring, std::int64_t sign) {
    bool there = true;
    for (std::size_t i = 0; i < ring.size(); ++i) {
      const std::size_t a = ring[i], b = ring[(i + 1) % ring.size()];
      bricks_[a * gpus_ + b] -= sign;
      bricks_[b * gpus_ + a] -= sign;
      there &= bricks_[a * gpus_ + b] >= 0;
    }
    return there;
  }

  void pack(std::size_t first, std::int64_t packed) {
    best_ = std::max(best_, packed);
    for (std::size_t i = first; i < rings_.size() && best_ < bound_; ++i) {
      if (take(rings_[i], 1)) pack(i, packed + 1);
      take(rings_[i], -1);
    }
  }

  std::size_t gpus_;
  std::vector<std::int64_t> bricks_;  // left, by pair
  std::vector<std::size_t> ring_;
  std::vector<std::vector<std::size_t>> rings_;
  std::int64_t best_ = 0, bound_ = 0;
};

/// Flows of a ring, all ranks in all groups at once: from each member of a group to the next.
std::vector<Route> ring_routes(Topology& topology, const std::vector<Ranks>& groups) {
  const Platform& platform = topology.platform();
  std::vector<Route> routes(static_cast<std::size_t>(platform.ranks()));
  for (const Ranks& group : groups) {
    const auto size = static_cast<std::int64_t>(group.size());
    const bool whole_node = size == platform.gpus_per_node && group.front() / size == group.back() / size;
    const bool by_bricks = whole_node && platform.gpu_links && platform.gpu_links->kind == GpuLinks::Kind::bricks;
    const std::int64_t rings = by_bricks ? brick_rings(*platform.gpu_links, size) : 0;
    // A ring of three or more runs both ways; of two it goes there and back over one brick.
    const double bricks = static_cast<double>(size == 2 ? rings : 2 * rings);
    for (std::size_t i = 0; i < group.size(); ++i) {
      const std::int64_t from = group[i], to = group[(i + 1) % group.size()];
      const auto at = static_cast<std::size_t>(from);
      if (rings > 0) {
        routes[at] = {topology.add(fmt::format("rank{}.rings", from), bricks * platform.gpu_links->rate->value.value)};
      } else {
        routes[at] = topology.between(from, to);
      }
    }
  }
  return routes;
}

Seconds longest_start(const Topology& topology, const std::vector<Ranks>& groups) {
  Seconds longest;
  for (const Ranks& group : groups) {
    for (std::size_t i = 0; i < group.size(); ++i)
      longest = std::max(longest, topology.start(group[i], group[(i + 1) % group.size()]));
  }
  return longest;
}

CollectiveStage ring_stage(Topology& topology, const std::vector<Ranks>& groups, double steps, double bytes_per_byte) {
  return {.start = steps * longest_start(topology, groups),
          .bytes_per_byte = bytes_per_byte,
          .routes = ring_routes(topology, groups)};
}

Collective ring(Topology& topology, const Ranks& all) {
  const auto n = static_cast<double>(all.size());
  return {.name = "ring", .stages = {ring_stage(topology, {all}, 2 * (n - 1), 2 * (n - 1) / n)}};
}

Collective tree(Topology& topology, const Ranks& all) {
  const double levels = std::ceil(std::log2(static_cast<double>(all.size())));
  return {.name = "tree", .stages = {ring_stage(topology, {all}, 2 * levels, 2)}};
}

Collective hierarchical(Topology& topology) {
  const std::int64_t gpus = topology.platform().gpus_per_node, nodes = topology.platform().nodes;
  std::vector<Ranks> in_node(static_cast<std::size_t>(nodes)), across(static_cast<std::size_t>(gpus));
  for (std::int64_t rank = 0; rank < gpus * nodes; ++rank) {
    in_node[static_cast<std::size_t>(rank / gpus)].push_back(rank);
    across[static_cast<std::size_t>(rank % gpus)].push_back(rank);
  }
  const auto x = static_cast<double>(gpus), y = static_cast<double>(nodes);
  const CollectiveStage scatter = ring_stage(topology, in_node, x - 1, (x - 1) / x);
  return {.name = fmt::format("hierarchical {}x{}", gpus, nodes),
          .stages = {scatter, ring_stage(topology, across, 2 * (y - 1), 2 * (y - 1) / y / x), scatter}};
}

}  // namespace

std::int64_t brick_rings(const GpuLinks& links, std::int64_t gpus) {
  if (gpus == 2) {
    std::int64_t between = 0;
    for (const Bricks& pair : links.bricks) between += pair.a < 2 && pair.b < 2 ? pair.count : 0;
    return between;
  }
  return gpus < 2 ? 0 : RingPacker(links, gpus).most();
}

std::vector<Collective> all_reduces(Topology& topology) {
  const Platform& platform = topology.platform();
  if (platform.ranks() == 1) return {};
  Ranks all(static_cast<std::size_t>(platform.ranks()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  std::vector<Collective> ways{ring(topology, all), tree(topology, all)};
  if (platform.nodes > 1 && platform.gpus_per_node > 1) ways.push_back(hierarchical(topology));
  return ways;
}

}  // namespace spillway
