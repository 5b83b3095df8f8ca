#include "sim/all_reduce_time.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace spillway {

namespace {

double ratio(Bytes a, Bytes b) {
  return static_cast<double>(a.value) / static_cast<double>(b.value);
}

}  // namespace

std::optional<Seconds> measured_all_reduce(const Trace& trace, const Platform& platform, Bytes size) {
  if (platform.gpu_links || platform.nodes > 1) return std::nullopt;
  const auto curve = std::ranges::find(trace.all_reduces, platform.ranks(), &AllReduceCurve::ranks);
  if (curve == trace.all_reduces.end()) {
    throw input_error(fmt::format(
        "nothing says how fast {} ranks of '{}' add up gradients: give the platform 'gpu_links', or profile "
        "with 'mpirun -n {}'",
        platform.ranks(), platform.name, platform.ranks()));
  }
  const std::vector<CopyPoint>& points = curve->points;
  const auto above = std::ranges::lower_bound(points, size, {}, &CopyPoint::bytes);
  if (above == points.begin()) return above->seconds;
  const CopyPoint& low = *std::prev(above);
  if (above == points.end()) return low.seconds * ratio(size, low.bytes);
  const double part = ratio(size - low.bytes, above->bytes - low.bytes);
  return low.seconds + part * (above->seconds - low.seconds);
}

}  // namespace spillway
