#include "core/error.h"
#include "sim/simgrid.h"

// Stands in for simgrid.cpp where Spillway is built without SimGrid.

namespace spillway {

std::optional<std::string> simgrid_version() {
  return std::nullopt;
}

std::vector<IdVector<InstructionId, Span>> run_simgrid(const Trace& /*trace*/, const Schedule& /*schedule*/,
                                                       const Platform& /*platform*/) {
  throw machine_error(
      "engine simgrid: found a spillway that was built without it, expected one with it; install libsimgrid-dev and "
      "build again, or use --engine replica");
}

}  // namespace spillway
