#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/platform.h"

namespace spillway {

using ResourceId = Id<struct ResourceTag>;

/// Something that everything which passes through it shares: one direction of a link, a cap on two directions, a
/// socket's memory.
struct Resource {
  std::string name;  ///< `node0.gpu1.in`
  double bytes_per_second = 0;
};

/// The resources that each byte of a flow passes, each once per mention: staging in one socket's memory takes it twice.
using Route = std::vector<ResourceId>;

/// A platform's resources and the ways through them. Ranks count node by node: rank r is GPU r % gpus_per_node of node
/// r / gpus_per_node.
class Topology {
 public:
  explicit Topology(const Platform& platform);

  [[nodiscard]] const Platform& platform() const { return platform_; }
  [[nodiscard]] const IdVector<ResourceId, Resource>& resources() const { return resources_; }
  /// Host pool to arena, arena to host pool.
  [[nodiscard]] const Route& swap_in(std::int64_t rank) const { return ranks_[index(rank)].in; }
  [[nodiscard]] const Route& swap_out(std::int64_t rank) const { return ranks_[index(rank)].out; }
  /// From one GPU's memory to another's; bricks where the pair has some, else as the platform's GpuLinks say, else over
  /// the network.
  [[nodiscard]] Route between(std::int64_t from, std::int64_t to) const;
  /// Adds a resource of its own for one rank, such as its share of a ring of bricks.
  ResourceId add(std::string name, double bytes_per_second);
  /// Start-up of one step between two ranks.
  [[nodiscard]] Seconds start(std::int64_t from, std::int64_t to) const;

 private:
  struct RankParts {
    Route in, out;                 ///< copies
    ResourceId link_in, link_out;  ///< its host link
    ResourceId both;               ///< both directions of its host link; invalid: no cap
    ResourceId up_in, up_out, up_both;
    ResourceId memory;  ///< of its socket
    ResourceId crossbar_in, crossbar_out;
    ResourceId nic_in, nic_out;
    std::int64_t node = 0, gpu = 0, socket = 0, uplink = 0;
  };
  static std::size_t index(std::int64_t rank) { return static_cast<std::size_t>(rank); }
  void leave(const RankParts& rank, bool uplink, Route& route) const;  ///< over its host link, to its switch or host
  void enter(const RankParts& rank, bool uplink, Route& route) const;
  [[nodiscard]] const Bricks* bricks(std::int64_t a, std::int64_t b) const;

  Platform platform_;
  IdVector<ResourceId, Resource> resources_;
  std::vector<RankParts> ranks_;
  std::vector<std::vector<ResourceId>> bricks_;        ///< by node; two per entry of GpuLinks::bricks: a to b, b to a
  std::vector<std::vector<ResourceId>> socket_links_;  ///< by node: from socket s to t at s * sockets + t
};

}  // namespace spillway
