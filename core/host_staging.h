#pragma once

#include "core/schedule.h"
#include "core/trace.h"

namespace spillway {

/// What the host pool has behind the slots of a schedule.
struct HostStaging {
  Bytes transfers;    ///< through here the executor writes and reads buffers of the arena between steps, in pieces
  Bytes all_reduces;  ///< through here gradients go where ranks add them up on the host, but not in the arena itself
};

/// For all instructions and start states of `schedule`; `trace` is the planned step. Gradients are taken to be added up
/// as the trace's all-reduce curves were measured: on a GPU without any, on the host, which takes more.
[[nodiscard]] HostStaging host_staging(const Trace& trace, const Schedule& schedule);

/// Where the slots end, a multiple of the alignment: there the staging begins.
[[nodiscard]] Bytes end_of_slots(const Schedule& schedule);

}  // namespace spillway
