#include "comm/mpi.h"

// Stands in for mpi.cpp where Spillway is built without MPI.

namespace spillway {

MpiSession::MpiSession() : exceptions_(0) {
  throw machine_error(
      "MPI: found a spillway that was built without it, expected one with it to run many ranks; install libopenmpi-dev "
      "and openmpi-bin, and build again");
}

MpiSession::~MpiSession() = default;

std::unique_ptr<Communicator> MpiSession::world() {
  SPILLWAY_CHECK(exceptions_ < 0, "there can't be a session without MPI");
  return nullptr;
}

std::optional<std::string> mpi_version() {
  return std::nullopt;
}

}  // namespace spillway
