#pragma once

#include <functional>

#include "comm/communicator.h"

namespace spillway {

/// Runs `body` on this many ranks, each a thread of this process, and returns when all have ended.
///
/// When one throws, the others get an Error from the call that they are in or make next, with the thrower's exit code
/// and text. Then rethrows what the lowest rank threw of its own, or an Error if a rank called abort and none threw.
/// A rank that waits for one whose body has returned throws Bug instead of waiting for ever.
/// Communicators and their duplicates must not outlive `body`.
/// Cost of an all-reduce of S bytes on N ranks: each rank reads and writes S bytes, 1/N of every rank's; no staging.
void run_ranks(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace spillway
