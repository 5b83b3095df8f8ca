#include "device/cuda/element_kernels.h"

#include <algorithm>
#include <type_traits>

#include "device/cuda/elements/sequences.h"

namespace spillway {

namespace {

template <class Kind, class... Kinds>
constexpr bool kIsOneOf = (std::is_same_v<Kind, Kinds> || ...);

/// Kinds whose output elements are each made from the input elements at the same place, after all else was read.
template <class Kind>
constexpr bool kMayRunInPlace = kIsOneOf<Kind, InstanceNormBackward, BatchNormBackward, RunningStatistics, LeakyRelu,
                                         LeakyReluBackward, Sigmoid, SigmoidBackward, Add, ChannelDropout,
                                         SoftmaxCrossEntropyBackward, AdvanceStep, SgdMomentum, Adam, Accumulate>;
template <class Kind>
constexpr bool kIsProduct = kIsOneOf<Kind, Convolution, ConvolutionBackwardData, ConvolutionBackwardWeights, Linear,
                                     LinearBackwardData, LinearBackwardWeights>;

/// What the functors can't see: more than three dimensions of space, a max pool whose choice needs more than a byte.
template <class Kind>
bool has_runnable_shapes(const Kind& kind, const OpDescription& op) {
  constexpr std::size_t kMostExtents = 5;
  const auto fits = [](const OperandDescription& operand) {
    return !operand.batched || operand.extents.size() <= kMostExtents;
  };
  if (!std::ranges::all_of(op.inputs, fits) || !std::ranges::all_of(op.outputs, fits)) return false;
  if constexpr (kIsOneOf<Kind, MaxPool, MaxPoolBackward>) return window_shape(kind.window).taps() <= 256;
  return true;
}

template <class Kind>
std::vector<CudaKernel> kernels_of(const Kind& kind, const OpDescription& op, const LaunchTable& launches) {
  const bool in_place = std::ranges::any_of(op.in_place, [](int input) { return input >= 0; });
  if (in_place && !kMayRunInPlace<Kind>) return {};
  if (!has_runnable_shapes(kind, op)) return {};
  const ElementSequence sequence = element_sequence(kind, op);
  const auto prepare = [sequence, &launches]() -> Launch {
    return [sequence, &launches](cudaStream_t stream, const OpPointers& operands) {
      sequence.launch({launches, stream, operands});
    };
  };
  // The version goes up when the bits change.
  return {{.id = kIsProduct<Kind> ? "direct|spillway 1" : "element|spillway 1",
           .workspace = sequence.workspace(),
           .prepare = prepare,
           .last_resort = kIsProduct<Kind>}};
}

// All-reduces are the communicator's, and of an opaque op only the cost is known.
std::vector<CudaKernel> kernels_of(const AllReduce&, const OpDescription&, const LaunchTable&) {
  return {};
}
std::vector<CudaKernel> kernels_of(const Opaque&, const OpDescription&, const LaunchTable&) {
  return {};
}

}  // namespace

std::vector<CudaKernel> ElementKernels::kernels(const OpDescription& op) {
  return std::visit([&](const auto& kind) { return kernels_of(kind, op, launches_); }, op.attributes);
}

}  // namespace spillway
