#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "tuner/threshold_knobs.h"

namespace spillway {

/// The search of the policy `threshold`: knobs whose decisions fit exactly, by the shortest simulated step.
///
/// Candidates are pruned by their peak of live bytes, then lowered with little effort and simulated; where placing
/// needs more than the capacity, the budget of live bytes shrinks by the excess and the stays are chosen again, a few
/// times. The search goes from a scan over thresholds to single knobs, and ends by dropping swaps one by one while the
/// step doesn't get longer. It is deterministic and ends after a number of evaluations, not at a time.
class ThresholdSearch {
 public:
  /// Keeps the reference. `capacity` may differ from the request's.
  ThresholdSearch(const Problem& problem, Bytes capacity);

  /// Decisions that fit, with their time.
  struct Candidate {
    ThresholdKnobs knobs;
    std::vector<std::size_t> chosen;
    std::size_t trimmed = 0;
    std::vector<Swap> swaps;
    Seconds step;
  };

  /// Scans the thresholds; whether anything fits.
  bool scan();
  /// Goes on from a scan that found something. Gives the best few: the fastest with its swaps trimmed, then as they
  /// were found, fastest first.
  [[nodiscard]] const std::vector<Candidate>& refine();

 private:
  void scan(bool variables);
  bool scan(ThresholdKnobs knobs);
  [[nodiscard]] std::vector<std::int64_t> fitting_thresholds(const ThresholdKnobs& knobs) const;
  void refine_threshold(std::size_t stride);
  void refine_other_knobs();
  void trim();
  std::optional<Candidate> drop(const Candidate& from, std::size_t first, std::size_t count);

  /// Evaluates the knobs unless they were evaluated before; keeps what is among the best few. Whether it fits.
  bool consider(const ThresholdKnobs& knobs);
  std::optional<Candidate> evaluate(const ThresholdKnobs& knobs, std::vector<std::size_t> chosen, std::size_t trimmed);
  void keep(Candidate candidate);
  [[nodiscard]] bool may_go_on(double share) const;

  const Problem& problem_;
  Bytes capacity_;
  std::int64_t evaluations_ = 0;
  std::set<ThresholdKnobs> considered_;
  std::vector<Candidate> best_;
};

}  // namespace spillway
