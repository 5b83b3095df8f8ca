#include "compile/place.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

namespace spillway {
namespace {

constexpr Bytes kNowhere{-1};
constexpr Bytes kNoLimit{std::numeric_limits<std::int64_t>::max()};

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

/// Which of the gaps that are large enough an item takes.
enum class Fit { tightest, lowest };

using Order = std::vector<std::uint32_t>;

class Placer {
 public:
  explicit Placer(std::vector<Item> items) : items_(std::move(items)), meets_(items_.size()), offsets_(items_.size()) {
    // Neighbours once; every attempt then only looks at those.
    for (std::size_t i = 0; i < items_.size(); ++i) {
      for (std::size_t j = i + 1; j < items_.size(); ++j) {
        if (!meet(items_[i], items_[j])) continue;
        meets_[i].push_back(static_cast<std::uint32_t>(j));
        meets_[j].push_back(static_cast<std::uint32_t>(i));
      }
    }
  }

  /// Places in this order, nothing above `limit`. Returns where in `order` the first one stands that doesn't fit.
  std::optional<std::size_t> place(const Order& order, Bytes limit, Fit fit) {
    std::ranges::fill(offsets_, kNowhere);
    top_ = {};
    for (std::size_t at = 0; at < order.size(); ++at) {
      const std::uint32_t index = order[at];
      const Bytes end = find_offset(index, fit) + items_[index].bytes;
      if (end > limit) return at;
      offsets_[index] = end - items_[index].bytes;
      top_ = std::max(top_, end);
    }
    return std::nullopt;
  }

  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  [[nodiscard]] const std::vector<Bytes>& offsets() const { return offsets_; }
  [[nodiscard]] Bytes top() const { return top_; }

 private:
  Bytes find_offset(std::uint32_t index, Fit fit) {
    taken_.clear();
    for (const std::uint32_t other : meets_[index]) {
      if (offsets_[other] != kNowhere) taken_.emplace_back(offsets_[other], offsets_[other] + items_[other].bytes);
    }
    std::ranges::sort(taken_);
    Bytes end, best = kNowhere, best_room = kNoLimit;
    for (const auto& [from, to] : taken_) {
      const Bytes room = from - end;
      if (room >= items_[index].bytes && room < best_room) {
        best_room = room;
        best = end;
        if (fit == Fit::lowest) return best;
      }
      end = std::max(end, to);
    }
    return best == kNowhere ? end : best;
  }

  std::vector<Item> items_;
  std::vector<std::vector<std::uint32_t>> meets_;
  std::vector<Bytes> offsets_;
  std::vector<std::pair<Bytes, Bytes>> taken_;  // of one attempt; kept for its memory
  Bytes top_;
};

using Measure = double (*)(const Item&);
constexpr Measure kMeasures[] = {
    [](const Item& item) { return static_cast<double>(item.bytes.value); },
    [](const Item& item) { return static_cast<double>(item.bytes.value) * static_cast<double>(item.span); },
    [](const Item& item) { return static_cast<double>(item.span); },
};

Order descending(const std::vector<Item>& items, Measure measure) {
  Order order(items.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::uint32_t i) { return measure(items[i]); });
  return order;
}

/// Whether everything finds a place below `limit`: what doesn't is tried twice as early next time.
bool place_below(Placer& placer, Bytes limit, int rounds) {
  for (const Measure measure : kMeasures) {
    for (const Fit fit : {Fit::tightest, Fit::lowest}) {
      Order order = descending(placer.items(), measure);
      for (int round = 0; round < rounds; ++round) {
        const std::optional<std::size_t> failed = placer.place(order, limit, fit);
        if (!failed) return true;
        const auto from = order.begin() + static_cast<std::ptrdiff_t>(*failed / 2);
        const auto at = order.begin() + static_cast<std::ptrdiff_t>(*failed);
        std::rotate(from, at, std::next(at));
      }
    }
  }
  return false;
}

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
  Placer placer(std::move(items));
  std::vector<Bytes> best;
  Bytes best_top = kNoLimit;
  const auto keep = [&] {
    if (placer.top() >= best_top) return;
    best_top = placer.top();
    best = placer.offsets();
  };
  for (const Measure measure : kMeasures) {
    for (const Fit fit : {Fit::tightest, Fit::lowest}) {
      if (!best.empty() && best_top <= peak_live_bytes) break;
      placer.place(descending(placer.items(), measure), kNoLimit, fit);
      keep();
    }
  }
  // Then below the peak itself, then half-way between what wasn't found and what was.
  constexpr int kHalvings = 6;
  Bytes not_found = peak_live_bytes;
  for (int halving = 0; halving < kHalvings && rounds > 0; ++halving) {
    const Bytes limit = halving == 0 ? peak_live_bytes : Bytes{(not_found.value + best_top.value) / 2};
    if (limit >= best_top) break;
    if (place_below(placer, limit, rounds)) {
      keep();
    } else {
      not_found = limit;
    }
  }
  Placement placement{.offsets = IdVector<ResidencyId, Bytes>(residencies.size()), .arena_bytes = {}};
  if (best.empty()) return placement;
  placement.arena_bytes = best_top;
  for (std::size_t i = 0; i < best.size(); ++i) placement.offsets[placer.items()[i].id] = best[i];
  return placement;
}

}  // namespace spillway
