#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/op_description.h"
#include "device/cuda/cudnn_descriptor.h"

namespace spillway {

/// An operand of the op as cuDNN's graph knows it.
struct CudnnOperand {
  std::int64_t uid = 0;
  bool is_output = false;
  std::size_t index = 0;  ///< among the op's inputs or outputs
};

/// The operation graph of a convolution, not yet told which GPU it is for nor finalized.
struct ConvolutionGraph {
  std::string pass;    ///< "fprop", "fprop+bias", "dgrad", "wgrad"
  std::string layout;  ///< of the activations: "nchw", "ndhwc", ...
  std::vector<CudnnOperand> operands;
  CudnnDescriptor graph;
};

/// Whether `op` is a convolution, its gradient of the data or of the weights: float32, one group, one to three spatial
/// dimensions.
[[nodiscard]] bool is_cudnn_convolution(const OpDescription& op);

/// FP32 data and sums. Activations lie as the op's layout says, weights [K, C, space], all at multiples of 16 bytes.
/// The forward's bias is part of the graph; the bias's gradient isn't, since cuDNN adds it up only with code that it
/// compiles at run time.
///
/// Requires: is_cudnn_convolution(op). Throws Error (exit 2) naming the operand when one has 2^31 elements or more, for
/// which the engines' indices are too narrow.
[[nodiscard]] ConvolutionGraph make_convolution_graph(const OpDescription& op);

}  // namespace spillway
