#pragma once

#include <string>
#include <variant>

#include "core/schedule.h"
#include "core/trace.h"

namespace spillway {

/// Why a plan can't be lowered: memory.
struct Shortfall {
  Bytes needed;     ///< arena bytes that this plan needs as it was placed
  Bytes peak_live;  ///< no packing of this plan needs less
  Bytes capacity;
  std::string at;     ///< the op at which most is live
  bool host = false;  ///< it is the host pool that is too small; then `needed` and `capacity` speak of it
};

/// One line for people: needed, there, short by how much, where.
[[nodiscard]] std::string to_text(const Shortfall& shortfall);

/// How much work to put into packing. What `quick` packs into the capacity, `thorough` packs the same way.
enum class Effort {
  quick,     ///< a few attempts to stay within the capacity
  thorough,  ///< where those fail, many
  smallest,  ///< many, for an arena as small as can be, whatever the capacity
};

/// Lowers a plan: order, place, guard. The schedule's arena is at most the plan's capacity and its host pool at most
/// the plan's host capacity, or it is a Shortfall. Same inputs, same bytes out. Throws Error (exit 2) when the plan
/// isn't legal (compile/order.h).
[[nodiscard]] std::variant<Schedule, Shortfall> lower(const Trace& trace, const Plan& plan,
                                                      Effort effort = Effort::thorough);

/// Arena bytes on `platform` when everything is kept, without all-reduces; on the traced machine where none is given.
[[nodiscard]] Bytes footprint(const Trace& trace, std::int64_t batch, const Platform& platform);
[[nodiscard]] inline Bytes footprint(const Trace& trace, std::int64_t batch) {
  return footprint(trace, batch, trace.machine);
}

/// Arena addresses are multiples of this: 64 bytes on the CPU, 256 on CUDA.
[[nodiscard]] Bytes alignment_for(const Platform& platform);

}  // namespace spillway
