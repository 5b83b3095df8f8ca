#pragma once

#include <memory>

#include "comm/communicator.h"

namespace spillway {

/// One rank: its sums are its own floats, scaled. `abort` only returns.
[[nodiscard]] std::unique_ptr<Communicator> alone();

}  // namespace spillway
