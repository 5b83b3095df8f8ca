#pragma once

#include <string>

#include "comm/communicator.h"

namespace spillway {

/// Collective: compares the ranks' facts, lines of `name: value`. Throws AgreedError (exit 2) on all ranks if one
/// differs from rank 0, naming the first such rank, the fact, and both values.
void require_equal(Communicator& ranks, const std::string& facts);

}  // namespace spillway
