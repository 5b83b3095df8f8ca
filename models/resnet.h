#pragma once

#include "models/models.h"

namespace spillway {

/// ResNet v1.5 (He et al. 2015, the stride in the 3 x 3 convolution): inputs `image` [3, side, side] and `labels`, a
/// class each.
[[nodiscard]] Model resnet_model();

}  // namespace spillway
