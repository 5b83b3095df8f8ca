#pragma once

#include <memory>
#include <optional>

#include "comm/communicator.h"
#include "comm/mpi.h"

namespace spillway {

/// The ranks that mpirun started this program as; without it, one.
class Ranks {
 public:
  /// Throws Error (exit 3) when a launcher started several and this build has no MPI.
  Ranks();

  /// Null: one rank.
  [[nodiscard]] Communicator* communicator() const { return world_.get(); }
  /// Rank 0 prints and writes files.
  [[nodiscard]] bool is_first() const { return !world_ || world_->rank() == 0; }

 private:
  std::optional<MpiSession> session_;
  std::unique_ptr<Communicator> world_;
};

}  // namespace spillway
