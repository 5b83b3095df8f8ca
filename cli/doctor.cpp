#include <fmt/format.h>

#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "comm/mpi.h"
#include "device/gpu.h"
#include "device/spec.h"
#include "sim/simgrid.h"

namespace spillway {

ExitCode run_doctor() {
  const std::unique_ptr<Device> device = make_device({});
  const DeviceProperties& properties = device->properties();
  fmt::print("cpu device: works\n");
  print_facts({{"processor", properties.name},
               {"cores", std::to_string(std::thread::hardware_concurrency())},
               {"compute threads", std::to_string(properties.threads)},
               {"kernels", fmt::format("{}, {}", properties.library, properties.instruction_set)},
               {"memory for an arena", to_text(properties.memory)},
               {"memory for a host pool", to_text(properties.host_memory)}});
  if (std::thread::hardware_concurrency() < 2) {
    fmt::print("  one core only: copies and compute take turns, so predicted times will be too short\n");
  }
  fmt::print("cuda device: {}\n", gpu_text());
  print_facts(gpu_libraries());
  fmt::print("many ranks: {}\n", mpi_version() ? *mpi_version() + "; start them with mpirun"
                                               : "not built in; install libopenmpi-dev and openmpi-bin, build again");
  fmt::print("simgrid engine: {}\n", simgrid_version() ? "SimGrid " + *simgrid_version()
                                                       : "not built in; install libsimgrid-dev and build again");
  return ExitCode::yes;
}

}  // namespace spillway
