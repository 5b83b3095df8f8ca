#pragma once

#include <cstdint>
#include <string>

namespace spillway {

/// The learning rate of each step, as `--learning-rate` takes it:
/// `0.01` (the same always), `step:0.1,0.5,1000` (0.1, halved every 1000 steps), `cosine:0.1,5000` (0.1 falling to 0
/// over 5000 steps along half a cosine; Loshchilov and Hutter, arXiv 1608.03983, equation 5 with one period).
struct LearningRate {
  enum class Kind { constant, step, cosine };
  Kind kind = Kind::constant;
  double base = 0;
  double factor = 1;
  std::int64_t steps = 1;

  /// For the step with this number, from 0.
  [[nodiscard]] double at(std::int64_t step) const;
};

/// Throws Error (exit 2) saying what was found and which forms there are.
[[nodiscard]] LearningRate parse_learning_rate(const std::string& text);

}  // namespace spillway
