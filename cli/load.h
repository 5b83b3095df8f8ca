#pragma once

#include <string>

#include "core/io/files.h"

namespace spillway {

/// A schedule from a schedule's file, or from a plan's, lowered; either way verified, since files get edited.
/// Throws Error: exit 1 when the plan doesn't fit or the schedule isn't safe, exit 2 for bad files.
[[nodiscard]] ScheduleFile load_schedule(const std::string& path);

}  // namespace spillway
