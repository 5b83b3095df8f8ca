#include "device/cuda/shared_library.h"

#include <dlfcn.h>

namespace spillway {

std::optional<SharedLibrary> SharedLibrary::open(const std::string& name, std::string& why) {
  if (name.empty()) {
    why = "none is to be loaded";
    return std::nullopt;
  }
  void* const handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* const error = dlerror();
    why = error == nullptr ? name + " can't be loaded" : error;
    return std::nullopt;
  }
  return SharedLibrary(handle);
}

void* SharedLibrary::address(const char* name) const {
  return dlsym(handle_, name);
}

}  // namespace spillway
