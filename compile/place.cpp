#include "compile/place.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace spillway {
namespace {

struct Item {
  ResidencyId id;
  Bytes bytes;
  std::size_t first, last;
  bool split;  // occupies first..end and 0..last
  std::size_t span;
};

bool meet(const Item& a, const Item& b) {
  if (!a.split && !b.split) return a.first <= b.last && b.first <= a.last;
  if (a.split && b.split) return true;  // both are there at the step's end
  const Item& arc = a.split ? a : b;
  const Item& plain = a.split ? b : a;
  return plain.last >= arc.first || plain.first <= arc.last;
}

class Placer {
 public:
  explicit Placer(std::vector<Item> items) : items_(std::move(items)), meets_(items_.size()) {
    // Neighbours once; the rounds then only look at those. Sweep by first position, arcs against all.
    for (std::size_t i = 0; i < items_.size(); ++i) {
      for (std::size_t j = i + 1; j < items_.size(); ++j) {
        if (!meet(items_[i], items_[j])) continue;
        meets_[i].push_back(static_cast<std::uint32_t>(j));
        meets_[j].push_back(static_cast<std::uint32_t>(i));
      }
    }
  }

  /// Offsets by item for this order, and the top.
  Bytes place(const std::vector<std::size_t>& order, std::vector<Bytes>& offsets) const {
    constexpr Bytes kNowhere{-1};
    offsets.assign(items_.size(), kNowhere);
    Bytes top;
    std::vector<std::pair<Bytes, Bytes>> taken;
    for (const std::size_t index : order) {
      const Bytes size = items_[index].bytes;
      taken.clear();
      for (const std::uint32_t other : meets_[index]) {
        if (offsets[other] != kNowhere) taken.emplace_back(offsets[other], offsets[other] + items_[other].bytes);
      }
      std::ranges::sort(taken);
      offsets[index] = best_gap(taken, size);
      top = std::max(top, offsets[index] + size);
    }
    return top;
  }

  [[nodiscard]] const std::vector<Item>& items() const { return items_; }

 private:
  /// The smallest gap that holds `size`, the lowest of equals; else on top.
  static Bytes best_gap(const std::vector<std::pair<Bytes, Bytes>>& taken, Bytes size) {
    Bytes end, best_offset{-1}, best_room{std::numeric_limits<std::int64_t>::max()};
    for (const auto& [from, to] : taken) {
      const Bytes room = from - end;
      if (room >= size && room < best_room) {
        best_room = room;
        best_offset = end;
      }
      end = std::max(end, to);
    }
    return best_offset.value >= 0 ? best_offset : end;
  }

  std::vector<Item> items_;
  std::vector<std::vector<std::uint32_t>> meets_;
};

}  // namespace

Placement place(const IdVector<ResidencyId, Residency>& residencies, std::size_t positions, Bytes peak_live_bytes,
                int rounds) {
  std::vector<Item> items;
  for (const ResidencyId id : residencies.ids()) {
    const Residency& residency = residencies[id];
    const std::size_t first = residency.first.index(), last = residency.last.index();
    const bool split = first > last;
    items.push_back({.id = id,
                     .bytes = residency.bytes,
                     .first = first,
                     .last = last,
                     .split = split,
                     .span = split ? positions - first + last + 1 : last - first + 1});
  }
  const Placer placer(std::move(items));
  std::vector<Bytes> best, offsets;
  Bytes best_top{std::numeric_limits<std::int64_t>::max()};
  const auto attempt = [&](const std::vector<std::size_t>& order) {
    const Bytes top = placer.place(order, offsets);
    if (top < best_top) {
      best_top = top;
      best = offsets;
    }
    return top;
  };
  using Measure = double (*)(const Item&);
  constexpr Measure kMeasures[] = {
      [](const Item& item) { return static_cast<double>(item.bytes.value); },
      [](const Item& item) { return static_cast<double>(item.bytes.value) * static_cast<double>(item.span); },
      [](const Item& item) { return static_cast<double>(item.span); },
  };
  for (const Measure measure : kMeasures) {
    std::vector<std::size_t> order(placer.items().size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return measure(placer.items()[i]); });
    attempt(order);
    for (int round = 0; round < rounds && best_top > peak_live_bytes; ++round) {
      const Bytes top = attempt(order);
      std::ranges::stable_partition(order, [&](std::size_t i) { return offsets[i] + placer.items()[i].bytes == top; });
    }
    if (best_top <= peak_live_bytes) break;
  }
  Placement placement{.offsets = IdVector<ResidencyId, Bytes>(residencies.size()), .arena_bytes = {}};
  if (best.empty()) return placement;
  placement.arena_bytes = best_top;
  for (std::size_t i = 0; i < best.size(); ++i) placement.offsets[placer.items()[i].id] = best[i];
  return placement;
}

}  // namespace spillway
