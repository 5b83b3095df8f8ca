#pragma once

#include <memory>
#include <optional>
#include <string>

#include "comm/communicator.h"
#include "comm/mpi.h"
#include "device/device.h"

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

  /// Collective: the device that `text` names, made for this rank; `cuda` without a number is one of its node's GPUs, a
  /// different one for each rank there. Throws Error: exit 2 if two ranks have the same GPU, else as make_device.
  [[nodiscard]] std::unique_ptr<Device> make_device(const std::string& text) const;

 private:
  std::optional<MpiSession> session_;
  std::unique_ptr<Communicator> world_;
};

}  // namespace spillway
