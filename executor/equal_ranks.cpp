#include "executor/equal_ranks.h"

#include <fmt/format.h>

#include <sstream>
#include <vector>

namespace spillway {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

void require_equal(Communicator& ranks, const std::string& facts) {
  const std::vector<std::string> all = ranks.all_gather(facts);
  const std::vector<std::string> expected = lines_of(all.front());
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    const std::vector<std::string> found = lines_of(all[rank]);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const std::string line = i < found.size() ? found[i] : "nothing";
      if (line == expected[i]) continue;
      throw AgreedError(fmt::format("rank {} differs from rank 0: found {}, rank 0 has {}", rank, line, expected[i]));
    }
  }
}

}  // namespace spillway
