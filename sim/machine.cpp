#include "sim/machine.h"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace spillway {
namespace {

constexpr std::size_t kMostKnownRates = 1 << 16;

/// Numbers for equal keys, from 0 in order of appearance.
template <class Key>
class Numbering {
 public:
  std::size_t of(const Key& key) { return numbers_.emplace(key, numbers_.size()).first->second; }
  [[nodiscard]] std::size_t size() const { return numbers_.size(); }

 private:
  std::map<Key, std::size_t> numbers_;
};

struct Flow {
  std::size_t kind = 0;  ///< swap-in, swap-out, or a collective's stage
  std::size_t rank = 0;
  const Route* route = nullptr;
};

/// Colours of ranks, flows and resources under which equal ones can't be told apart.
struct Colours {
  std::vector<std::size_t> ranks, flows, resources;
};

Colours refine(const IdVector<ResourceId, Resource>& resources, const std::vector<Flow>& flows, std::size_t ranks) {
  Colours now{.ranks = std::vector<std::size_t>(ranks, 0),
              .flows = std::vector<std::size_t>(flows.size(), 0),
              .resources = std::vector<std::size_t>(resources.size(), 0)};
  using Key = std::vector<std::size_t>;
  Numbering<double> rates;
  for (const ResourceId id : resources.ids()) now.resources[id.index()] = rates.of(resources[id].bytes_per_second);
  for (std::size_t before = 0;;) {
    Numbering<Key> flow_numbers, resource_numbers, rank_numbers;
    std::vector<Key> through(resources.size()), of_rank(ranks);
    for (std::size_t f = 0; f < flows.size(); ++f) {
      Key key{flows[f].kind, now.ranks[flows[f].rank]};
      for (const ResourceId resource : *flows[f].route) key.push_back(now.resources[resource.index()]);
      std::sort(key.begin() + 2, key.end());
      now.flows[f] = flow_numbers.of(key);
      for (const ResourceId resource : *flows[f].route) through[resource.index()].push_back(now.flows[f]);
      of_rank[flows[f].rank].push_back(now.flows[f]);
    }
    for (std::size_t r = 0; r < resources.size(); ++r) {
      std::ranges::sort(through[r]);
      through[r].insert(through[r].begin(), now.resources[r]);
      now.resources[r] = resource_numbers.of(through[r]);
    }
    for (std::size_t r = 0; r < ranks; ++r) now.ranks[r] = rank_numbers.of(of_rank[r]);
    const std::size_t colours = flow_numbers.size() + resource_numbers.size() + rank_numbers.size();
    if (colours == before) return now;
    before = colours;
  }
}

}  // namespace

Machine::Machine(const Platform& platform, bool folded) : platform_(platform) {
  Topology topology(platform);
  collectives_ = all_reduces(topology);
  const auto ranks = static_cast<std::size_t>(platform.ranks());
  std::vector<Flow> flows;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    flows.push_back({.kind = 0, .rank = rank, .route = &topology.swap_in(static_cast<std::int64_t>(rank))});
    flows.push_back({.kind = 1, .rank = rank, .route = &topology.swap_out(static_cast<std::int64_t>(rank))});
  }
  std::size_t kind = 2;
  for (const Collective& collective : collectives_) {
    for (const CollectiveStage& stage : collective.stages) {
      for (std::size_t rank = 0; rank < ranks; ++rank)
        flows.push_back({.kind = kind, .rank = rank, .route = &stage.routes[rank]});
      ++kind;
    }
  }

  if (folded) {
    class_of_ = refine(topology.resources(), flows, ranks).ranks;
    classes_ = *std::ranges::max_element(class_of_) + 1;
  } else {
    classes_ = ranks;
    for (std::size_t rank = 0; rank < ranks; ++rank) class_of_.push_back(rank);
  }
  // What passes each resource, by class of flow; equal resources count once.
  std::uint32_t next = static_cast<std::uint32_t>(2 * classes_);
  for (const Collective& collective : collectives_) {
    first_flow_.push_back(next);
    next += static_cast<std::uint32_t>(collective.stages.size() * classes_);
  }
  const auto number = [&](const Flow& flow) {
    const std::size_t c = class_of_[flow.rank];
    return flow.kind < 2 ? 2 * c + flow.kind : 2 * classes_ + (flow.kind - 2) * classes_ + c;
  };
  std::vector<std::map<std::size_t, double>> through(topology.resources().size());
  for (const Flow& flow : flows) {
    for (const ResourceId resource : *flow.route) through[resource.index()][number(flow)] += 1;
  }
  flows_.resize(next);
  Numbering<std::pair<double, std::map<std::size_t, double>>> distinct;
  for (const ResourceId id : topology.resources().ids()) {
    if (through[id.index()].empty()) continue;
    const double capacity = topology.resources()[id].bytes_per_second;
    if (distinct.of({capacity, through[id.index()]}) < capacities_.size()) continue;
    const auto resource = static_cast<std::uint32_t>(capacities_.size());
    capacities_.push_back(capacity);
    for (const auto& [flow, count] : through[id.index()])
      flows_[flow].push_back({.resource = resource, .count = count});
  }
}

const std::vector<double>& Machine::rates(const std::vector<std::uint32_t>& active) const {
  const std::string key(reinterpret_cast<const char*>(active.data()), active.size() * sizeof(std::uint32_t));
  if (const auto known = known_rates_.find(key); known != known_rates_.end()) return known->second;
  if (known_rates_.size() >= kMostKnownRates) known_rates_.clear();
  return known_rates_.emplace(key, fair_rates(capacities_, flows_, active)).first->second;
}

Machine::Choice Machine::fastest_all_reduce(Bytes size) const {
  Choice best{.collective = 0, .seconds = {std::numeric_limits<double>::infinity()}};
  for (std::size_t i = 0; i < collectives_.size(); ++i) {
    Seconds seconds;
    for (std::size_t s = 0; s < collectives_[i].stages.size(); ++s) {
      const CollectiveStage& stage = collectives_[i].stages[s];
      std::vector<std::uint32_t> active;
      for (std::size_t c = 0; c < classes_; ++c) active.push_back(stage_flow(i, s, c));
      const std::vector<double>& all = rates(active);
      double slowest = std::numeric_limits<double>::infinity();
      for (const std::uint32_t flow : active) slowest = std::min(slowest, all[flow]);
      seconds += stage.start + Seconds{static_cast<double>(size.value) * stage.bytes_per_byte / slowest};
    }
    if (seconds < best.seconds) best = {.collective = i, .seconds = seconds};
  }
  return best;
}

}  // namespace spillway
