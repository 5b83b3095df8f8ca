#include "core/trace.h"

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

const BatchCosts& costs_at(const Trace& trace, std::int64_t batch) {
  std::string profiled;
  for (const BatchCosts& costs : trace.batches) {
    if (costs.batch == batch) return costs;
    profiled += fmt::format("{}{}", profiled.empty() ? "" : ", ", costs.batch);
  }
  throw input_error(fmt::format("batch {} wasn't profiled; the trace of '{}' has {}; profile it with --batch {}", batch,
                                trace.graph.name, profiled, batch));
}

}  // namespace spillway
