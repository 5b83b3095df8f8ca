#pragma once

#include <ostream>
#include <vector>

#include "core/schedule.h"

// Safe schedules of the toy step (toy.h), each the smallest that shows one thing. Mutants start from them.

namespace spillway {

struct GoodSchedule {
  const char* name;
  Schedule (*make)();
  /// Has a copy without which nothing goes wrong. The verifier wants it in order all the same.
  bool has_spare_copy = false;
};
inline void PrintTo(const GoodSchedule& schedule, std::ostream* out) {
  *out << schedule.name;
}
[[nodiscard]] const std::vector<GoodSchedule>& good_schedules();

/// Everything has its own bytes; only what must is copied: image in, loss out.
[[nodiscard]] Schedule in_memory();

/// act leaves after position 1 and is back at 3; the workspace of loss has its bytes meanwhile. m stays on the host but
/// for its update.
///
///     address   0        1        2          3        4
///     0         w        w        w          w        w        from step to step
///     64        image    out      out        out      m
///     128       act      act      workspace  act
///     192                         loss       dw       dw
///
/// Instructions: 0 in image, 1 forward, 2 head, 3 out act, 4 loss, 5 out loss, 6 in act, 7 backward, 8 in m, 9 update,
/// 10 out m.
[[nodiscard]] Schedule swapped();

/// act comes back to other bytes than it left, so that only its host slot orders the two copies.
/// Instructions: 0 in image, 1 forward, 2 head, 3 out act, 4 in act, 5 loss, 6 out loss, 7 backward, 8 update.
[[nodiscard]] Schedule act_moves();

/// out is copied to the host before loss changes it in place, and stays.
/// Instructions: 0 in image, 1 forward, 2 head, 3 out out, 4 loss, 5 out loss, 6 backward, 7 update.
[[nodiscard]] Schedule out_is_copied();

/// out leaves after loss has changed it and comes back for backward.
/// Instructions: 0 in image, 1 forward, 2 head, 3 loss, 4 out loss, 5 out out, 6 in out, 7 backward, 8 update.
[[nodiscard]] Schedule out_leaves();

/// w is in the arena, and its host copy valid, at the step's start; it is gone at position 1, and updated and copied
/// again at the end. Instructions: 0 in image, 1 forward, 2 head, 3 in w, 4 loss, 5 out loss, 6 backward, 7 update, 8
/// out w.
[[nodiscard]] Schedule w_leaves();

/// w stays, is read from a second residency, and is copied out after its update.
/// Instructions: 0 in image, 1 in w, 2 forward, 3 head, 4 loss, 5 out loss, 6 backward, 7 update, 8 out w.
[[nodiscard]] Schedule w_is_there_twice();

/// act is dropped after position 1 and recomputed at 3, from the image, before backward at 4.
/// Instructions: 0 in image, 1 forward, 2 head, 3 loss, 4 out loss, 5 forward#2, 6 backward, 7 update.
[[nodiscard]] Schedule act_is_recomputed();

/// head runs again after backward, into bytes that nobody reads.
/// Instructions: 0 in image, 1 forward, 2 head, 3 loss, 4 out loss, 5 backward, 6 head#2, 7 update.
[[nodiscard]] Schedule head_runs_for_nothing();

}  // namespace spillway
