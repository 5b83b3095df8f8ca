#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/schedule.h"
#include "core/trace.h"

// A training step of five ops, small enough to schedule by hand. Batch 2; every buffer has 64 bytes but the loss, which
// has 4.
//
//   position  op        reads          writes
//   0         forward   image, w       act
//   1         head      act            out
//   2         loss      out            loss, out (in place)     64 bytes of workspace
//   3         backward  act, out       dw
//   4         update    w, dw, m       w, m (in place)
//
// image is an input, w a parameter, m its optimizer state. forward and head may be recomputed.

namespace spillway {

[[nodiscard]] Trace toy_trace();
[[nodiscard]] BufferId buffer_named(const Graph& graph, std::string_view name);
[[nodiscard]] OpId op_named(const Graph& graph, std::string_view name);

/// Writes a Schedule line by line, in the total order. Arena, host pool and capacities are as large as needed; every
/// buffer that is copied, and every input, loss and valid host copy, gets a host slot.
class ScheduleBuilder {
 public:
  explicit ScheduleBuilder(const Trace& trace);

  /// A stay of the buffer, as large as the buffer. A wrapping one is also the buffer's place at the step's start.
  ResidencyId residency(std::string_view buffer, std::int64_t offset, std::size_t first, std::size_t last);
  ResidencyId wrapping(std::string_view buffer, std::int64_t offset, std::size_t first, std::size_t last);
  /// A workspace or an unwanted output.
  ResidencyId scratch(std::int64_t offset, std::int64_t bytes, std::size_t position);
  /// Says that the buffer's host slot is valid at the step's start.
  void host_valid(std::string_view buffer);

  using Waits = std::initializer_list<InstructionId>;
  /// Runs an op at the next position; counts its runs itself.
  InstructionId compute(std::string_view op, std::vector<ResidencyId> inputs, std::vector<ResidencyId> outputs,
                        Waits waits, ResidencyId workspace = {});
  InstructionId swap_in(ResidencyId residency, std::size_t position, Waits waits);
  InstructionId swap_out(ResidencyId residency, std::size_t position, Waits waits);

  [[nodiscard]] Schedule build() const;

 private:
  StartState& start_of(BufferId buffer);
  InstructionId copy(InstructionKind kind, ResidencyId residency, std::size_t position, Waits waits);

  Graph graph_;
  Schedule schedule_;
  std::size_t position_ = 0;
  IdVector<OpId, std::uint32_t> runs_;
};

}  // namespace spillway
