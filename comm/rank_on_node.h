#pragma once

#include <string>

#include "comm/communicator.h"

namespace spillway {

/// Collective: how many ranks of a lower number say that they are on the same node as this one: 0, 1, ... on each node,
/// whatever launcher started them and in whatever order. `node` is the host's name.
[[nodiscard]] int rank_on_node(Communicator& ranks, const std::string& node);

/// What this host calls itself.
[[nodiscard]] std::string host_name();

}  // namespace spillway
