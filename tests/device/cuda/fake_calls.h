#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace spillway {

/// The calls of a fake library, counted, and which of them a test wants to fail. `Status{}` is success.
template <class Status>
class FakeCalls {
 public:
  /// One more call. Returns what a test wants from it, success if nothing.
  [[nodiscard]] Status add(const std::string& name) {
    ++all_;
    ++by_name_[name];
    Status status{};
    for (Injection& injection : injections_) {
      if (injection.left == 0 || (!injection.name.empty() && injection.name != name)) continue;
      if (--injection.left > 0) continue;
      status = injection.status;
      failed_ = name;
    }
    return status;
  }
  /// The `nth` call of `name` from now on, counted from 1, is to return `status`. Empty: whichever call it is.
  void fail(const std::string& name, std::uint64_t nth, Status status) { injections_.push_back({name, nth, status}); }

  /// How many there were.
  [[nodiscard]] std::uint64_t all() const { return all_; }
  [[nodiscard]] std::uint64_t of(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? 0 : found->second;
  }
  /// The last call that was made to fail; empty: none yet.
  [[nodiscard]] const std::string& failed() const { return failed_; }

 private:
  struct Injection {
    std::string name;
    std::uint64_t left;  ///< calls until it strikes
    Status status;
  };

  std::uint64_t all_ = 0;
  std::map<std::string, std::uint64_t> by_name_;
  std::vector<Injection> injections_;
  std::string failed_;
};

}  // namespace spillway
