#pragma once

#include "models/builder.h"
#include "models/optimizer.h"

namespace spillway {

/// Appends the update `parameter.update`, or `.update.0`, `.update.1`, ... of equal slices of at most kLargestUpdate
/// (the last may be smaller), with the optimizer's state: one buffer per slice, zero at first.
void append_update(GraphBuilder& builder, const Optimizer& optimizer, TensorId parameter, TensorId gradient);

}  // namespace spillway
