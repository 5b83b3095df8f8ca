#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace spillway {

/// Zeroed memory that a process shares with those it forks. Throws Error (exit 3) when there is none left.
class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  [[nodiscard]] void* data() const { return data_; }

 private:
  void* data_;
  std::size_t bytes_;
};

/// Runs `work` in a forked process and returns when that has ended. For libraries that keep state for the whole
/// process, or end it: nothing of that reaches the caller, who sees only what was written to SharedMemory. Several
/// threads may call it at once. Throws Error (exit 3), which begins with `what`, when `work` threw, exited or was
/// killed.
void run_in_own_process(const std::string& what, const std::function<void()>& work);

}  // namespace spillway
