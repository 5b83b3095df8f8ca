#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "core/units.h"

namespace spillway {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// Prints `  label   value` lines, values in one column.
void print_facts(const Facts& facts);

/// Rows of cells under headings; columns as wide as needed, numbers (all but the first column) to the right.
void print_table(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows);

/// `text` cut in the middle to `width` columns.
[[nodiscard]] std::string shortened(const std::string& text, std::size_t width);
/// `+3.2 %`
[[nodiscard]] std::string percent(double part);

/// Throws Error early when a file can't be written there, before minutes are spent on its content.
void require_writable(const std::string& path);

/// One line on a terminal that is overwritten; silent elsewhere.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  /// At most ten times a second.
  void show(const std::string& text);
  void clear();

 private:
  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace spillway
