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

/// The positions at which a residency is there.
struct Interval {
  std::uint32_t first, last;
  bool split;  // first..end and 0..last
};

bool meet(const Interval& a, const Interval& b) {
  if (!a.split && !b.split) return a.first <= b.last && b.first <= a.last;
  if (a.split && b.split) return true;  // both are there at the step's end
  const Interval& arc = a.split ? a : b;
  const Interval& plain = a.split ? b : a;
  return plain.last >= arc.first || plain.first <= arc.last;
}

struct Item {
  ResidencyId id;
  Bytes bytes;
  Interval interval;
  std::size_t span;
};

/// Which of the gaps that are large enough an item takes.
enum class Fit { tightest, lowest };

using Order = std::vector<std::uint32_t>;

class Placer {
 public:
  explicit Placer(std::vector<Item> items) : items_(std::move(items)), offsets_(items_.size()) {
    placed_.reserve(items_.size());
  }

  /// Places in this order, nothing above `limit`. Returns where in `order` the first one stands that doesn't fit.
  std::optional<std::size_t> place(const Order& order, Bytes limit, Fit fit) {
    placed_.clear();
    top_ = {};
    for (std::size_t at = 0; at < order.size(); ++at) {
      const Item& item = items_[order[at]];
      const Bytes offset = find_offset(item, limit, fit);
      if (offset == kNowhere) return at;
      offsets_[order[at]] = offset;
      const auto place = std::ranges::upper_bound(placed_, offset, {}, &Placed::from);
      placed_.insert(place, {.from = offset, .to = offset + item.bytes, .interval = item.interval});
      top_ = std::max(top_, offset + item.bytes);
    }
    return std::nullopt;
  }

  [[nodiscard]] const std::vector<Item>& items() const { return items_; }
  [[nodiscard]] const std::vector<Bytes>& offsets() const { return offsets_; }
  [[nodiscard]] Bytes top() const { return top_; }

 private:
  struct Placed {
    Bytes from, to;
    Interval interval;  // here and not behind a pointer: looking at them all is where the time goes
  };

  /// The place in the gaps among the placed ones that meet the item; kNowhere: none ends below the limit.
  [[nodiscard]] Bytes find_offset(const Item& item, Bytes limit, Fit fit) const {
    Bytes end, best = kNowhere, best_room = kNoLimit;
    for (const Placed& other : placed_) {
      if (!meet(item.interval, other.interval)) continue;
      const Bytes room = other.from - end;
      if (room >= item.bytes && room < best_room) {
        best_room = room;
        best = end;
        if (fit == Fit::lowest || room == item.bytes) return best;
      }
      end = std::max(end, other.to);
      if (item.bytes > limit - end) return best;  // gaps to come lie higher still
    }
    return best == kNowhere && item.bytes <= limit - end ? end : best;
  }

  std::vector<Item> items_;
  std::vector<Bytes> offsets_;
  std::vector<Placed> placed_;  // of one attempt, by offset
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
                const PlaceEffort& effort) {
  Placement placement{.offsets = IdVector<ResidencyId, Bytes>(residencies.size()), .arena_bytes = {}};
  // What is there at every position stands below everything else: no other place leaves a better rest.
  Bytes base;
  std::vector<Item> items;
  for (const ResidencyId id : residencies.ids()) {
    const Residency& residency = residencies[id];
    const std::size_t first = residency.first.index(), last = residency.last.index();
    const bool split = first > last;
    const std::size_t span = split ? positions - first + last + 1 : last - first + 1;
    if (span == positions) {
      placement.offsets[id] = base;
      base += residency.bytes;
    } else {
      items.push_back({.id = id,
                       .bytes = residency.bytes,
                       .interval = {.first = residency.first.value, .last = residency.last.value, .split = split},
                       .span = span});
    }
  }
  placement.arena_bytes = base;
  if (items.empty()) return placement;

  Placer placer(std::move(items));
  const Bytes peak = peak_live_bytes - base, enough = std::max(peak, effort.enough - base);
  std::vector<Bytes> best;
  Bytes best_top = kNoLimit;
  const auto keep = [&] {
    if (placer.top() >= best_top) return;
    best_top = placer.top();
    best = placer.offsets();
  };
  for (const Measure measure : kMeasures) {
    for (const Fit fit : {Fit::tightest, Fit::lowest}) {
      if (!best.empty() && best_top <= enough) break;
      placer.place(descending(placer.items(), measure), kNoLimit, fit);
      keep();
    }
  }
  // Then as low as is enough; where that is the peak, half-way between what wasn't found and what was.
  constexpr int kHalvings = 6;
  Bytes not_found = enough;
  for (int halving = 0; halving < kHalvings && effort.rounds > 0; ++halving) {
    const Bytes limit = halving == 0 ? enough : Bytes{(not_found.value + best_top.value) / 2};
    if (limit >= best_top) break;
    if (place_below(placer, limit, effort.rounds)) {
      keep();
    } else {
      not_found = limit;
      if (enough > peak) break;  // a smaller arena than found isn't what was asked for
    }
  }
  placement.arena_bytes = base + best_top;
  for (std::size_t i = 0; i < best.size(); ++i) placement.offsets[placer.items()[i].id] = base + best[i];
  return placement;
}

}  // namespace spillway
