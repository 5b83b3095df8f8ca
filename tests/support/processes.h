#pragma once

#include <sys/types.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace spillway {

/// Whether a process still runs; one that only waits to be collected by its parent doesn't.
inline bool runs(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return false;
  const char state = text.at(text.rfind(')') + 2);
  return state != 'Z' && state != 'X';
}

/// Whether it ends within 20 s; one that is being killed may need a moment.
inline bool ends(pid_t process) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (runs(process) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return !runs(process);
}

}  // namespace spillway
