#pragma once

#include <memory>
#include <optional>
#include <string>

#include "comm/communicator.h"

namespace spillway {

/// Whether mpirun, mpiexec or srun started this process as one of its ranks, one rank alone included. Looks at the
/// environment only, so it answers without MPI too.
[[nodiscard]] bool launched_by_mpi();

/// This process's rank as the launcher tells it in the environment; absent: no launcher, or one that doesn't tell.
[[nodiscard]] std::optional<int> launched_rank();

/// What MPI this program was built with: `Open MPI v4.1.4`. Absent: none.
[[nodiscard]] std::optional<std::string> mpi_version();

/// MPI, from its start to its end. One in a process, made before any communicator and destroyed after all of them.
///
/// The destructor ends MPI, which waits for the other ranks. While an exception passes it doesn't: the process should
/// then end with its exit code, at which mpirun ends the other ranks and returns that code. Where another launcher
/// doesn't do so, call `Communicator::abort`.
class MpiSession {
 public:
  /// Throws Error (exit 3) if Spillway was built without MPI, or if MPI can't be used from many threads.
  MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  ~MpiSession();

  /// All ranks that were started together; one, if no launcher was used. Collective.
  ///
  /// Cost of an all-reduce of S bytes on N ranks: 2S bytes out of and into each rank (S at rank 0 and N - 1), in
  /// 2(N - 1) messages' time and S's; staging whatever N. Where ranks are numbered node by node, as mpirun does, 2S
  /// bytes leave and enter a node, whatever the number of ranks on it.
  [[nodiscard]] std::unique_ptr<Communicator> world();

 private:
  int exceptions_;  ///< that were under way when it was made
};

}  // namespace spillway
