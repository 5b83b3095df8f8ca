#pragma once

#include <string>
#include <vector>

#include "core/trace.h"
#include "profiler/workbench.h"

namespace spillway {

/// Seconds of copies of 4 KiB, 16 KiB, ... 64 MiB (less where the bench's area for copies is smaller): each way alone
/// and while the other way is busy. A copy is timed from the event on the compute stream that it waits for to its own
/// completion, as in a step: the time that a stream needs to wake up is part of it.
[[nodiscard]] CopyCurves time_copies(Workbench& bench);

/// A line of start + bytes / rate.
struct CopyLine {
  Seconds start;
  BytesPerSecond rate;
};
/// The line through a curve by least squares of the relative errors, so that small copies decide the start and large
/// ones the rate. The start is at least zero.
/// Requires: points of two sizes at least, none of them taking no time.
[[nodiscard]] CopyLine fit_line(const std::vector<CopyPoint>& curve);

/// The link that `curves` show. What `set` gives, since the device was made with a rate, is taken from there; all else
/// has this `source`.
[[nodiscard]] HostLink link_from(const CopyCurves& curves, const HostLink& set, const std::string& source);

}  // namespace spillway
