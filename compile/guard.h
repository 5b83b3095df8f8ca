#pragma once

#include "compile/unplaced.h"

namespace spillway {

/// The last pass: gives every instruction its waits. Requires: the residencies have offsets.
///
/// - Data: who reads a residency waits for its last writer; who writes it, for its earlier readers and writer. A
/// swap-out so starts
///   when the last write before it is complete, beside later readers.
/// - Addresses: who first uses an address waits for all last users, on every stream, of every residency that last had
/// any of its bytes.
/// - Host slots: who writes a slot waits for its earlier readers and writer; a reader for its last writer.
/// - Decisions: triggers and blocking swaps.
/// Every wait goes upward in the total order, so the lowest unfinished instruction can always run. Waits that others
/// imply are dropped.
[[nodiscard]] Schedule guard(UnplacedSchedule unplaced);

}  // namespace spillway
