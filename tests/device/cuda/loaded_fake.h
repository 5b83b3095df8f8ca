#pragma once

#include <stdexcept>
#include <string>

#include "device/cuda/shared_library.h"

namespace spillway {

/// The state of a fake library, fresh, by the function that gives access to it.
template <class State>
State& loaded_fake(const std::string& path, const char* access) {
  std::string why;
  const auto library = SharedLibrary::open(path, why);
  if (!library) throw std::runtime_error(why);
  State* (*state)() = nullptr;
  library->find(access, state);
  if (state == nullptr) throw std::runtime_error(path + " has no " + access);
  *state() = {};
  return *state();
}

}  // namespace spillway
