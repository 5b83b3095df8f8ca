#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/platform.h"
#include "sim/collective.h"
#include "sim/fair_share.h"

namespace spillway {

/// A platform made ready for the replica engine: its ranks folded into classes that see the same contention, and the
/// rates of all flows that may run at once.
///
/// Ranks, flows and resources are sorted into classes by colour refinement: two ranks are in one class when their flows
/// pass resources of equal rates that flows of the same classes pass. All ranks of a class then progress alike, so one
/// stands for all, and max-min shares of the classes are those of the ranks. Not for use by several threads at once
/// (it remembers rates).
class Machine {
 public:
  /// `folded` false: every rank is a class of its own.
  explicit Machine(const Platform& platform, bool folded = true);

  [[nodiscard]] const Platform& platform() const { return platform_; }
  [[nodiscard]] std::size_t classes() const { return classes_; }
  [[nodiscard]] std::size_t class_of(std::int64_t rank) const { return class_of_[static_cast<std::size_t>(rank)]; }
  [[nodiscard]] const std::vector<Collective>& collectives() const { return collectives_; }

  /// Flows by number: the swap-ins and swap-outs of each class, and for each stage of each collective its flow from
  /// each class.
  [[nodiscard]] std::size_t flows() const { return flows_.size(); }
  [[nodiscard]] std::uint32_t swap_in(std::size_t c) const { return static_cast<std::uint32_t>(2 * c); }
  [[nodiscard]] std::uint32_t swap_out(std::size_t c) const { return static_cast<std::uint32_t>(2 * c + 1); }
  [[nodiscard]] std::uint32_t stage_flow(std::size_t collective, std::size_t stage, std::size_t c) const {
    return first_flow_[collective] + static_cast<std::uint32_t>(stage * classes_ + c);
  }

  /// Bytes per second of every flow while the `active` ones (ascending) run. The reference holds until the next call.
  [[nodiscard]] const std::vector<double>& rates(const std::vector<std::uint32_t>& active) const;

  /// Which of `collectives()` is the fastest for so many bytes when nothing else runs, and how long it takes.
  struct Choice {
    std::size_t collective = 0;
    Seconds seconds;
  };
  [[nodiscard]] Choice fastest_all_reduce(Bytes size) const;

 private:
  Platform platform_;
  std::vector<Collective> collectives_;
  std::size_t classes_ = 0;
  std::vector<std::size_t> class_of_;
  std::vector<double> capacities_;
  std::vector<std::vector<Usage>> flows_;
  std::vector<std::uint32_t> first_flow_;  ///< by collective
  mutable std::unordered_map<std::string, std::vector<double>> known_rates_;
};

}  // namespace spillway
