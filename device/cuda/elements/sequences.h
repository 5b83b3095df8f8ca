#pragma once

#include "core/op_description.h"
#include "device/cuda/elements/sequence.h"

namespace spillway {

// The launches that compute an op of each kind. Require: the attributes are those of `op`, whose operands are those
// that core/attributes.h names, with at most five extents.

#define SPILLWAY_SEQUENCE(Kind) [[nodiscard]] ElementSequence element_sequence(const Kind&, const OpDescription& op)
SPILLWAY_SEQUENCE(Convolution);
SPILLWAY_SEQUENCE(ConvolutionBackwardData);
SPILLWAY_SEQUENCE(ConvolutionBackwardWeights);
SPILLWAY_SEQUENCE(Linear);
SPILLWAY_SEQUENCE(LinearBackwardData);
SPILLWAY_SEQUENCE(LinearBackwardWeights);
SPILLWAY_SEQUENCE(InstanceNorm);
SPILLWAY_SEQUENCE(InstanceNormBackward);
SPILLWAY_SEQUENCE(BatchNorm);
SPILLWAY_SEQUENCE(BatchNormBackward);
SPILLWAY_SEQUENCE(RunningStatistics);
SPILLWAY_SEQUENCE(LeakyRelu);
SPILLWAY_SEQUENCE(LeakyReluBackward);
SPILLWAY_SEQUENCE(Sigmoid);
SPILLWAY_SEQUENCE(SigmoidBackward);
SPILLWAY_SEQUENCE(Add);
SPILLWAY_SEQUENCE(Concat);
SPILLWAY_SEQUENCE(ConcatBackward);
SPILLWAY_SEQUENCE(Upsample);
SPILLWAY_SEQUENCE(UpsampleBackward);
SPILLWAY_SEQUENCE(MaxPool);
SPILLWAY_SEQUENCE(MaxPoolBackward);
SPILLWAY_SEQUENCE(GlobalAveragePool);
SPILLWAY_SEQUENCE(GlobalAveragePoolBackward);
SPILLWAY_SEQUENCE(ChannelDropout);
SPILLWAY_SEQUENCE(SoftmaxCrossEntropy);
SPILLWAY_SEQUENCE(SoftmaxCrossEntropyBackward);
SPILLWAY_SEQUENCE(DiceLoss);
SPILLWAY_SEQUENCE(DiceLossBackward);
SPILLWAY_SEQUENCE(AdvanceStep);
SPILLWAY_SEQUENCE(SgdMomentum);
SPILLWAY_SEQUENCE(Adam);
SPILLWAY_SEQUENCE(Accumulate);
#undef SPILLWAY_SEQUENCE

}  // namespace spillway
