#include "device/cuda/cupti_kernels.h"

// Stands in for cupti_kernels.cpp where CUPTI's header isn't found.

namespace spillway {

struct CuptiCalls {};

std::string cupti_library() {
  return "";
}

CuptiKernels::~CuptiKernels() = default;

std::unique_ptr<CuptiKernels> CuptiKernels::open(const std::string&, std::string& why, Bytes) {
  why = "this build has no CUPTI";
  return nullptr;
}

std::optional<ObservedKernels> CuptiKernels::observe(const std::function<void()>&, std::string&) const {
  return std::nullopt;
}

}  // namespace spillway
