#pragma once

#include "models/models.h"

namespace spillway {

/// The 3D U-Net for brain tumours of Isensee et al. 2017: inputs `image` [channels, space] and `labels` [classes,
/// space], 0 or 1.
[[nodiscard]] Model unet3d_model();

}  // namespace spillway
