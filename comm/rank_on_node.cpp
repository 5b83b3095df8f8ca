#include "comm/rank_on_node.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace spillway {

int rank_on_node(Communicator& ranks, const std::string& node) {
  const std::vector<std::string> nodes = ranks.all_gather(node);
  return static_cast<int>(std::count(nodes.begin(), nodes.begin() + ranks.rank(), node));
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace spillway
