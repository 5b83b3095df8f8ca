#include "executor/learning_rate.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/error.h"

namespace spillway {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  throw input_error(fmt::format(
      "--learning-rate: found '{}', expected 0.01, step:BASE,FACTOR,STEPS or cosine:BASE,STEPS with numbers above 0",
      text));
}

/// Numbers above zero between commas.
std::vector<double> numbers(const std::string& list, const std::string& text) {
  std::vector<double> found;
  const char* at = list.data();
  const char* const end = list.data() + list.size();
  while (true) {
    double value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || !(value > 0) || !std::isfinite(value)) refuse(text);
    found.push_back(value);
    if (next == end) return found;
    if (*next != ',') refuse(text);
    at = next + 1;
  }
}

}  // namespace

double LearningRate::at(std::int64_t step) const {
  switch (kind) {
    case Kind::constant: return base;
    case Kind::step: return base * std::pow(factor, static_cast<double>(step / steps));
    case Kind::cosine: {
      const double part = std::min(1.0, static_cast<double>(step) / static_cast<double>(steps));
      return base * (1 + std::cos(std::numbers::pi * part)) / 2;
    }
  }
  return base;
}

LearningRate parse_learning_rate(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::vector<double> values = numbers(colon == std::string::npos ? text : text.substr(colon + 1), text);
  const std::string kind = colon == std::string::npos ? "" : text.substr(0, colon);
  const auto whole = [&](double value) {
    if (value != std::floor(value) || value > 1e15) refuse(text);
    return static_cast<std::int64_t>(value);
  };
  if (kind.empty() && values.size() == 1) return {.kind = LearningRate::Kind::constant, .base = values[0]};
  if (kind == "step" && values.size() == 3) {
    return {.kind = LearningRate::Kind::step, .base = values[0], .factor = values[1], .steps = whole(values[2])};
  }
  if (kind == "cosine" && values.size() == 2) {
    return {.kind = LearningRate::Kind::cosine, .base = values[0], .factor = 1, .steps = whole(values[1])};
  }
  refuse(text);
}

}  // namespace spillway
