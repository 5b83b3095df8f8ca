#pragma once

#include <string>

#include "core/op_description.h"
#include "device/cuda/kernel_source.h"
#include "device/cuda/launch_table.h"

// Libraries give the gradient of the weights and leave that of the bias to us.

namespace spillway {

/// The kernel of a gradient of the weights, of a convolution or a linear op, and then, where the op has a second
/// output, our own sums over dy for it, in one workspace: " + " stands between the two in the id. Kernels of other ops
/// are given back as they are. `launches` must outlive the result.
[[nodiscard]] CudaKernel with_bias_gradient(const OpDescription& op, CudaKernel kernel, const LaunchTable& launches);

/// The id of the library's part. Throws Error (exit 3) of one line when the id has no sums but the op needs them, or
/// those of another version.
[[nodiscard]] std::string without_bias_gradient(const OpDescription& op, const std::string& id);

}  // namespace spillway
