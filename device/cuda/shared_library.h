#pragma once

#include <optional>
#include <string>

namespace spillway {

/// A library that may or may not be on the machine, loaded by name or path at run time. It is never unloaded: those of
/// NVIDIA have threads of their own.
class SharedLibrary {
 public:
  /// Empty, with the reason in `why`, if there is none or it can't be loaded. An empty name is none.
  [[nodiscard]] static std::optional<SharedLibrary> open(const std::string& name, std::string& why);

  /// The function of this name, or null. Requires: `Function` is its type.
  template <class Function>
  void find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(address(name));
  }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  [[nodiscard]] void* address(const char* name) const;

  void* handle_;
};

}  // namespace spillway
