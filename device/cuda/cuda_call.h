#pragma once

#include <cuda_runtime_api.h>

#include <string>

namespace spillway {

/// Throws Error (exit 3) of one line if a CUDA runtime call failed: the call, what it was for, CUDA's name for the
/// failure and what it means. Takes the failure off CUDA's own record, so that the next call isn't blamed for it.
void must(cudaError_t result, const char* call, const std::string& what);

/// The same for destructors, which can't complain: whatever the call found has been told before or doesn't matter now.
void ignore(cudaError_t result);

}  // namespace spillway
