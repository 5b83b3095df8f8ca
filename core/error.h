#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace spillway {

/// What the process returns to the shell.
enum class ExitCode {
  yes = 0,
  no = 1,       ///< an honest no: no plan fits, the verifier objects, timelines differ
  input = 2,    ///< a bad file or flag
  machine = 3,  ///< no GPU, disk full, memory can't be had
  bug = 70,     ///< ours
};

/// Bad input or a failing machine. The text is one line: file, place, found, expected, what to do.
/// Caught once, in cli/.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& line) : std::runtime_error(line), code_(code) {}
  [[nodiscard]] ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

[[nodiscard]] inline Error input_error(const std::string& line) {
  return {ExitCode::input, line};
}
[[nodiscard]] inline Error machine_error(const std::string& line) {
  return {ExitCode::machine, line};
}

/// A broken promise between our own parts.
class Bug : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void report_bug(const char* expression, const char* file, int line, const std::string& detail);

/// The candidate that is most like `word`, for "did you mean"; empty if none is near.
[[nodiscard]] std::string nearest_name(std::string_view word, std::span<const std::string> candidates);

}  // namespace spillway

/// States what must hold between our own parts; a failure is our bug (exit 70).
#define SPILLWAY_CHECK(condition, detail) \
  ((condition) ? static_cast<void>(0) : ::spillway::report_bug(#condition, __FILE__, __LINE__, (detail)))
