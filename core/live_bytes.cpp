#include "core/live_bytes.h"

namespace spillway {

std::vector<Bytes> live_bytes(const Schedule& schedule) {
  const std::size_t n = positions(schedule);
  std::vector<Bytes> live(n + 1);  // first as changes from one position to the next
  const auto occupy = [&](std::size_t first, std::size_t last, Bytes size) {
    live[first] += size;
    live[last + 1] -= size;
  };
  for (const Residency& residency : schedule.residencies) {
    const std::size_t first = residency.first.index(), last = residency.last.index();
    if (first <= last) {
      occupy(first, last, residency.bytes);
    } else {
      occupy(first, n - 1, residency.bytes);
      occupy(0, last, residency.bytes);
    }
  }
  for (std::size_t i = 1; i < n; ++i) live[i] += live[i - 1];
  live.pop_back();
  return live;
}

}  // namespace spillway
