#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/units.h"

namespace spillway {

/// What a sweep asks at one point. Equal questions about one trace have equal answers.
struct SweepQuestion {
  std::string platform;                               ///< as the user wrote it
  std::optional<std::int64_t> gpus = {}, nodes = {};  ///< as asked for; absent: all that the platform has
  std::string capacity = {};  ///< as the user wrote it: `60%`, `12GiB`; empty: the machine's default
  std::int64_t batch = 1;
  std::string policy;
  std::int64_t evaluations = 1;
  std::string machine_sha256 = {};  ///< of the machine's platform file; empty: there is no such machine
  friend bool operator==(const SweepQuestion&, const SweepQuestion&) = default;
};

/// What came out.
struct SweepAnswer {
  std::string reason = {};                      ///< why there is no plan, in one line; empty: there is one
  std::int64_t ranks = 0;                       ///< 0: there is no such machine
  Bytes capacity = {};                          ///< what the arena may use; 0: unknown
  Bytes footprint = {};                         ///< 0: unknown
  std::optional<Bytes> smallest_capacity = {};  ///< at which the policy finds a plan, where it doesn't at `capacity`
  // The rest only where there is a plan.
  Seconds step = {}, compute = {}, stall = {};
  double samples_per_second = 0;  ///< of all ranks together
  Bytes arena = {}, host = {};
  std::int64_t swaps = 0;
  std::string times = {};  ///< where the op times come from: `Transferred::how`
  friend bool operator==(const SweepAnswer&, const SweepAnswer&) = default;

  [[nodiscard]] bool fits() const { return reason.empty(); }
};

/// One point of a sweep.
struct SweepPoint {
  SweepQuestion question;
  std::optional<SweepAnswer> answer = {};  ///< absent: not computed yet
  friend bool operator==(const SweepPoint&, const SweepPoint&) = default;
};

}  // namespace spillway
