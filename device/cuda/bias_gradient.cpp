#include "device/cuda/bias_gradient.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "core/error.h"
#include "device/cuda/elements/sequence.h"

namespace spillway {
namespace {

// The version goes up when the bits change.
constexpr std::string_view kThenBias = " + channel sums|spillway 1";

bool has_bias_gradient(const OpDescription& op) {
  const bool gives_weights = std::holds_alternative<ConvolutionBackwardWeights>(op.attributes) ||
                             std::holds_alternative<LinearBackwardWeights>(op.attributes);
  return gives_weights && op.outputs.size() > 1;
}

/// Adds up dy over batch and space.
ElementSequence bias_gradient(const OpDescription& op) {
  ElementSequence sequence;
  add_bias_gradient(sequence, tensor_grid(op.inputs[1].extents, op.layout));
  return sequence;
}

}  // namespace

CudaKernel with_bias_gradient(const OpDescription& op, CudaKernel kernel, const LaunchTable& launches) {
  if (!has_bias_gradient(op)) return kernel;
  ElementSequence sums = bias_gradient(op);
  const Bytes workspace = std::max(kernel.workspace, sums.workspace());  // one after the other
  const auto prepare = [weights = std::move(kernel.prepare), sums = std::move(sums), &launches]() -> Launch {
    return [weights = weights(), sums, &launches](cudaStream_t stream, const OpPointers& operands) {
      weights(stream, operands);
      sums.launch({launches, stream, operands});
    };
  };
  return {kernel.id + std::string(kThenBias), workspace, prepare};
}

std::string without_bias_gradient(const OpDescription& op, const std::string& id) {
  if (!has_bias_gradient(op)) return id;
  std::string library = id.substr(0, id.find(" + "));
  if (library + std::string(kThenBias) != id) {
    throw machine_error(fmt::format("kernel '{}': this op has '{}{}'; record the trace again with 'spillway profile'",
                                    id, library, kThenBias));
  }
  return library;
}

}  // namespace spillway
