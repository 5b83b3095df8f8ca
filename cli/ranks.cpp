#include "cli/ranks.h"

namespace spillway {

Ranks::Ranks() {
  if (!launched_by_mpi()) return;
  session_.emplace();
  world_ = session_->world();
  if (world_->size() == 1) world_.reset();
}

}  // namespace spillway
