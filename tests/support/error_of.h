#pragma once

#include <functional>
#include <string>

#include "core/error.h"

namespace spillway {

/// The text of the Error that `action` throws, after its exit code: "3: text". Empty: it throws none.
[[nodiscard]] inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.what();
  }
  return "";
}

}  // namespace spillway
