#pragma once

#include <vector>

#include "core/op_description.h"
#include "device/cpu/kernels/recipe.h"

namespace spillway {

// The ways to run an op of each kind on `threads` threads, the best first; none where the kind isn't for this device or
// the op's layout isn't ours. Require: `use_threads(threads)` has been called on this thread, and the attributes are
// those of `op`.

#define SPILLWAY_RECIPES(Kind) \
  [[nodiscard]] std::vector<Recipe> recipes(const Kind&, const OpDescription& op, int threads)
SPILLWAY_RECIPES(Convolution);
SPILLWAY_RECIPES(ConvolutionBackwardData);
SPILLWAY_RECIPES(ConvolutionBackwardWeights);
SPILLWAY_RECIPES(Linear);
SPILLWAY_RECIPES(LinearBackwardData);
SPILLWAY_RECIPES(LinearBackwardWeights);
SPILLWAY_RECIPES(InstanceNorm);
SPILLWAY_RECIPES(InstanceNormBackward);
SPILLWAY_RECIPES(BatchNorm);
SPILLWAY_RECIPES(BatchNormBackward);
SPILLWAY_RECIPES(RunningStatistics);
SPILLWAY_RECIPES(LeakyRelu);
SPILLWAY_RECIPES(LeakyReluBackward);
SPILLWAY_RECIPES(Sigmoid);
SPILLWAY_RECIPES(SigmoidBackward);
SPILLWAY_RECIPES(Add);
SPILLWAY_RECIPES(Concat);
SPILLWAY_RECIPES(ConcatBackward);
SPILLWAY_RECIPES(Upsample);
SPILLWAY_RECIPES(UpsampleBackward);
SPILLWAY_RECIPES(MaxPool);
SPILLWAY_RECIPES(MaxPoolBackward);
SPILLWAY_RECIPES(GlobalAveragePool);
SPILLWAY_RECIPES(GlobalAveragePoolBackward);
SPILLWAY_RECIPES(ChannelDropout);
SPILLWAY_RECIPES(SoftmaxCrossEntropy);
SPILLWAY_RECIPES(SoftmaxCrossEntropyBackward);
SPILLWAY_RECIPES(DiceLoss);
SPILLWAY_RECIPES(DiceLossBackward);
SPILLWAY_RECIPES(AdvanceStep);
SPILLWAY_RECIPES(SgdMomentum);
SPILLWAY_RECIPES(Adam);
SPILLWAY_RECIPES(Accumulate);
#undef SPILLWAY_RECIPES

/// A recipe of one loop of ours, which needs no workspace.
[[nodiscard]] std::vector<Recipe> loop_recipe(LoopStep loop);

}  // namespace spillway
