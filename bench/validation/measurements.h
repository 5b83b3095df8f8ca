#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway {

/// The lines of a file. Throws std::runtime_error that names it when it can't be read.
[[nodiscard]] std::vector<std::string> lines_of(const std::string& path);

/// The number that follows the first `label`, spaces skipped; absent: no such label, or no number behind it.
[[nodiscard]] std::optional<double> number_after(std::string_view line, std::string_view label);

/// Errors of predictions: predicted over measured, minus 1. All results but `count` require that there is one.
class Errors {
 public:
  void add(double predicted, double measured) { errors_.push_back(predicted / measured - 1); }

  [[nodiscard]] std::size_t count() const { return errors_.size(); }
  [[nodiscard]] double mean() const;
  [[nodiscard]] double mean_absolute() const;
  [[nodiscard]] double median() const;
  [[nodiscard]] double worst() const;  ///< signed
  /// By which factor predictions are off, too long and too short alike: the geometric mean. At least 1.
  [[nodiscard]] double mean_factor() const;

 private:
  std::vector<double> errors_;
};

}  // namespace spillway
