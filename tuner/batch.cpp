#include "tuner/batch.h"

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

BatchCurve tune_batches(const TuneRequest& request) {
  SPILLWAY_CHECK(request.trace != nullptr, "a request names its trace");
  if (request.trace->batches.empty()) {
    throw input_error(
        fmt::format("the trace of '{}' has no batch; record it with 'spillway profile'", request.trace->graph.name));
  }
  BatchCurve curve;
  for (const BatchCosts& costs : request.trace->batches) {
    TuneRequest one = request;
    one.batch = costs.batch;
    std::vector<ReductionWay> ways;
    if (one.platform.ranks() > 1) ways = reduction_ways(*one.trace, one.platform, one.batch, one.micro_batches);
    one.reduction_ways = ways;
    std::variant<Tuned, NothingFits> outcome = tune(one);
    BatchPoint point;
    point.batch = costs.batch;
    point.footprint = footprint_of(one);
    const std::size_t index = curve.points.size();
    bool is_result = index == 0;
    if (const Tuned* tuned = std::get_if<Tuned>(&outcome)) {
      point.fits = true;
      point.step = tuned->times.step;
      point.samples_per_second = static_cast<double>(samples_per_step(tuned->plan)) / tuned->times.step.value;
      point.arena = tuned->schedule.arena_bytes;
      curve.largest = index;
      if (!curve.fastest || point.samples_per_second > curve.points[*curve.fastest].samples_per_second) {
        curve.fastest = index;
        is_result = true;
      }
    } else {
      point.smallest_capacity = std::get<NothingFits>(outcome).smallest_capacity;
    }
    if (is_result) curve.result = std::move(outcome);
    curve.points.push_back(point);
  }
  return curve;
}

}  // namespace spillway
