#pragma once

#include "models/autodiff/backward_pass.h"

namespace spillway {

/// Appends the backward ops of `op`, a forward op: takes its result's gradient and gives its inputs theirs. A loss op
/// takes none; the gradient of the loss is 1. Requires: there is a rule for the op's kind.
void append_gradient(BackwardPass& pass, const Op& op);

}  // namespace spillway
