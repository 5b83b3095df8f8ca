#include "bench/validation/measurements.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>
#include <stdexcept>

#include "core/statistics.h"

namespace spillway {

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": can't be read");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

std::optional<double> number_after(std::string_view line, std::string_view label) {
  const std::size_t at = line.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  std::istringstream rest{std::string(line.substr(at + label.size()))};
  double number = 0;
  if (rest >> number) return number;
  return std::nullopt;
}

double Errors::mean() const {
  return std::accumulate(errors_.begin(), errors_.end(), 0.0) / static_cast<double>(count());
}

double Errors::mean_absolute() const {
  const auto add = [](double sum, double error) { return sum + std::abs(error); };
  return std::accumulate(errors_.begin(), errors_.end(), 0.0, add) / static_cast<double>(count());
}

double Errors::median() const {
  return spillway::median(errors_);
}

double Errors::worst() const {
  return *std::ranges::max_element(errors_, {}, [](double error) { return std::abs(error); });
}

double Errors::mean_factor() const {
  const auto add = [](double sum, double error) { return sum + std::abs(std::log1p(error)); };
  return std::exp(std::accumulate(errors_.begin(), errors_.end(), 0.0, add) / static_cast<double>(count()));
}

}  // namespace spillway
