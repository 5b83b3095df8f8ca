#pragma once

#include <string>

#include "comm/communicator.h"
#include "core/timeline.h"
#include "core/trace.h"
#include "executor/runner.h"

namespace spillway {

/// What a step measured, as a timeline. With several ranks each calls it with its own; rank 0 gets all of them side by
/// side, the others a timeline of their own. Each rank's times count from its own step's start.
[[nodiscard]] Timeline measured_timeline(const Trace& step, const Schedule& schedule, const MeasuredStep& measured,
                                         const std::string& title, Communicator* ranks);

}  // namespace spillway
