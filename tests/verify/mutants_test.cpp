#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/verify/good_schedules.h"
#include "tests/verify/mutate.h"
#include "tests/verify/toy.h"

// Each row breaks one thing of a good schedule, and so exactly one rule.

namespace spillway {
namespace {

using testing::ElementsAre;

struct Mutant {
  const char* name;
  Rule rule;
  Schedule (*make)();
  const char* text;  ///< of the first violation
  void (*change_trace)(Trace&) = nullptr;
};

template <void (*Change)(Schedule&), Schedule (*Make)()>
Schedule changed() {
  Schedule schedule = Make();
  Change(schedule);
  return schedule;
}

Instruction& instruction(Schedule& schedule, std::size_t index) {
  return schedule.instructions[InstructionId(index)];
}
Residency& residency(Schedule& schedule, std::size_t index) {
  return schedule.residencies[ResidencyId(index)];
}

/// out leaves before loss has changed it, and that copy comes back for backward.
Schedule out_leaves_too_early() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 4), m = s.wrapping("m", 64, 0, 4);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 3),
             out = s.residency("out", 256, 1, 2);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  const auto out_again = s.residency("out", 512, 3, 3);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  const auto head = s.compute("head", {act}, {out}, {});
  const auto out_out = s.swap_out(out, 1, {head});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {out_out}, workspace);
  s.swap_out(loss, 2, {at_loss});
  const auto in_out = s.swap_in(out_again, 3, {out_out});
  s.compute("backward", {act, out_again}, {dw}, {in_out});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

/// head runs again, into the live out that loss has changed in place.
Schedule head_overwrites_out() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 5), m = s.wrapping("m", 64, 0, 5);
  const auto image = s.residency("image", 128, 0, 0), act = s.residency("act", 192, 0, 4),
             out = s.residency("out", 256, 1, 4);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 4, 5),
             workspace = s.scratch(448, 64, 2);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("head", {act}, {out}, {});
  s.compute("backward", {act, out}, {dw}, {});
  s.compute("update", {w, dw, m}, {w, m}, {});
  return s.build();
}

/// forward runs again when w has been updated.
Schedule forward_runs_after_update() {
  ScheduleBuilder s(toy_trace());
  const auto w = s.wrapping("w", 0, 0, 5), m = s.wrapping("m", 64, 0, 5);
  const auto image = s.residency("image", 128, 0, 5), act = s.residency("act", 192, 0, 3),
             out = s.residency("out", 256, 1, 3);
  const auto loss = s.residency("loss", 320, 2, 2), dw = s.residency("dw", 384, 3, 4),
             workspace = s.scratch(448, 64, 2);
  const auto unwanted = s.scratch(448, 64, 5);
  const auto in_image = s.swap_in(image, 0, {});
  s.compute("forward", {image, w}, {act}, {in_image});
  s.compute("head", {act}, {out}, {});
  const auto at_loss = s.compute("loss", {out}, {loss, out}, {}, workspace);
  s.swap_out(loss, 2, {at_loss});
  s.compute("backward", {act, out}, {dw}, {});
  s.compute("update", {w, dw, m}, {w, m}, {});
  s.compute("forward", {image, w}, {unwanted}, {});
  return s.build();
}

/// backward and its position are left out.
Schedule without_backward() {
  Schedule schedule = without_instruction(in_memory(), 5);
  instruction(schedule, 5).position = Position(3);
  for (Residency& one : schedule.residencies)
    if (one.last == Position(4)) one.last = Position(3);
  return schedule;
}

const Mutant kMutants[] = {
    {"HostUpdate", Rule::not_supported_yet,
     changed<[](Schedule& s) { instruction(s, 10).kind = InstructionKind::host_update; }, swapped>,
     "host update m (instruction 10) is a host update, which can't be verified"},
    {"AllReduceThatIsNone", Rule::streams_fit_their_instructions,
     changed<[](Schedule& s) {
       instruction(s, 7).kind = InstructionKind::all_reduce;
       instruction(s, 7).stream = s.streams.push_back({.role = StreamRole::network, .gpu = 0});
     },
             swapped>,
     "backward (instruction 7) is an all-reduce, its op isn't"},
    {"SecondGpu", Rule::not_supported_yet, changed<[](Schedule& s) { s.streams[StreamId(1)].gpu = 1; }, swapped>,
     "stream 1 is on GPU 1; only schedules of one GPU, 0, can be verified"},
    {"UnknownResidency", Rule::ids_are_in_range,
     changed<[](Schedule& s) { instruction(s, 7).inputs[0] = ResidencyId(9); }, swapped>,
     "backward (instruction 7): input: found 9, expected an id below 9"},
    {"NegativeOffset", Rule::sizes_are_sound, changed<[](Schedule& s) { residency(s, 5).offset = {-64}; }, swapped>,
     "residency 5: offset: found -64 bytes, expected 0 or more"},
    {"OddAlignment", Rule::sizes_are_sound, changed<[](Schedule& s) { s.alignment = {48}; }, swapped>,
     "alignment: found 48, expected a power of two"},
    {"MissingOperand", Rule::operand_counts_match,
     changed<[](Schedule& s) { instruction(s, 7).inputs.pop_back(); }, swapped>,
     "backward (instruction 7): found 1 inputs and 1 outputs, the op has 2 and 1"},
    {"UnprofiledBatch", Rule::batch_is_profiled, changed<[](Schedule& s) { s.plan.batch = 3; }, swapped>,
     "the plan's batch is 3; the trace has no complete costs for it"},
    {"OtherKernel", Rule::kernels_match_trace, changed<[](Schedule& s) { s.kernels[OpId(2)] = "other"; }, swapped>,
     "'loss': found kernel 'other', the trace has 'kernel of loss'"},
    {"MissingKernel", Rule::kernels_match_trace, changed<[](Schedule& s) { s.kernels.resize(4); }, swapped>,
     "the schedule names 4 kernels, the step has 5 ops"},
    {"CopyOnTheWrongStream", Rule::streams_fit_their_instructions,
     changed<[](Schedule& s) { instruction(s, 3).stream = StreamId(2); }, swapped>,
     "swap-out act (instruction 3) is on stream 2, which has another role"},
    {"TwoComputeStreams", Rule::streams_fit_their_instructions,
     changed<[](Schedule& s) {
       instruction(s, 2).stream = s.streams.push_back({StreamRole::compute, 0});
     },
             swapped>,
     "head (instruction 2) is on stream 3, but the compute stream is 0"},
    {"OpLeftOut", Rule::ops_run_once_in_graph_order, without_backward,
     "found update (instruction 5), expected 'backward'"},
    {"OpTwice", Rule::ops_run_once_in_graph_order,
     changed<[](Schedule& s) { instruction(s, 6).run = 0; }, head_runs_for_nothing>,
     "found head (instruction 6), expected 'update'"},
    {"RerunOfWhatMayNotRunAgain", Rule::reruns_are_recomputable, act_is_recomputed,
     "forward#2 (instruction 5) runs 'forward' again, which may not be recomputed",
     [](Trace& trace) { trace.graph.ops[OpId(0)].recomputable = false; }},
    {"CopyBehindItsPosition", Rule::instructions_are_in_total_order,
     changed<[](Schedule& s) { instruction(s, 4).position = Position(3); }, act_moves>,
     "loss (instruction 5) at position 2 stands behind an instruction that comes later in the total order"},
    {"WaitForALaterInstruction", Rule::waits_point_backwards,
     changed<[](Schedule& s) { instruction(s, 3).waits = {InstructionId(4)}; }, swapped>,
     "swap-out act (instruction 3) waits for loss (instruction 4), which isn't before it"},
    {"OperandInAnotherBuffer", Rule::operands_live_in_their_buffers,
     changed<[](Schedule& s) { instruction(s, 7).inputs[0] = ResidencyId(3); }, swapped>,
     "backward (instruction 7) uses 'out' at 64..128 for 'act'"},
    {"CopyOfAnotherBuffer", Rule::operands_live_in_their_buffers,
     changed<[](Schedule& s) { instruction(s, 3).residency = ResidencyId(3); }, swapped>,
     "swap-out act (instruction 3) uses 'out' at 64..128 for 'act'"},
    {"WorkspaceInABuffer", Rule::operands_live_in_their_buffers,
     changed<[](Schedule& s) { instruction(s, 3).workspace = ResidencyId(3); }, in_memory>,
     "loss (instruction 3) has its workspace in 'act' at 192..256"},
    {"OperandInScratch", Rule::scratch_is_never_read,
     changed<[](Schedule& s) { instruction(s, 3).inputs[0] = ResidencyId(7); }, in_memory>,
     "loss (instruction 3) reads 'out' from workspace or scratch at 448..512"},
    {"WorkspaceInAnOutput", Rule::scratch_is_not_shared,
     changed<[](Schedule& s) { instruction(s, 6).workspace = instruction(s, 6).outputs[0]; }, head_runs_for_nothing>,
     "head#2 (instruction 6) uses workspace or scratch at 448..512 for two operands"},
    {"EndBeforeBegin", Rule::residency_interval_is_sound,
     changed<[](Schedule& s) {
       s.residencies.push_back({residency(s, 3).buffer, {0}, {64}, Position(3), Position(1), false});
     },
             in_memory>,
     "'act' at 0..64 ends at position 1, before it begins at 3"},
    {"WrapOfWhatDoesNotLast", Rule::residency_interval_is_sound,
     changed<[](Schedule& s) { residency(s, 2).wraps = true; }, in_memory>,
     "'image' at 128..192 spans the step's end, but no buffer starts the step there"},
    {"FreedTooEarly", Rule::residency_covers_its_users,
     changed<[](Schedule& s) { residency(s, 2).last = Position(0); }, swapped>,
     "head (instruction 2) at position 1 uses 'act' at 128..192, which is there at 0..0"},
    {"UsedInTheWrapGap", Rule::residency_covers_its_users,
     changed<[](Schedule& s) { residency(s, 0).first = Position(3); }, w_leaves>,
     "swap-in w (instruction 3) at position 2 uses 'w' at 0..64, which is there at 3..0 around the step's end"},
    {"NoStartState", Rule::start_lists_lasting_buffers, changed<[](Schedule& s) { s.start.pop_back(); }, swapped>,
     "found 1 start states, expected one for each of the 2 lasting buffers, by buffer id"},
    {"StartsNowhere", Rule::start_lists_lasting_buffers,
     changed<[](Schedule& s) { s.start[1].host_valid = false; }, swapped>,
     "'m' is neither in the arena nor in its host slot at the step's start"},
    {"StartsWhereItDoesNotLast", Rule::start_lists_lasting_buffers,
     changed<[](Schedule& s) { s.start[1].residency = ResidencyId(8); }, swapped>,
     "'m' starts the step in 'm' at 64..128, which isn't a residency of it that spans the step's end"},
    {"SmallResidency", Rule::residency_holds_its_buffer,
     changed<[](Schedule& s) { residency(s, 2).bytes = {60}; }, swapped>,
     "'act' at 128..188 has 60 bytes, the buffer needs 64"},
    {"SmallScratch", Rule::residency_holds_its_buffer,
     changed<[](Schedule& s) { residency(s, 8).bytes = {60}; }, head_runs_for_nothing>,
     "head#2 (instruction 6) leaves 'out' in workspace or scratch at 448..508, which is too small for its 64 bytes"},
    {"SmallWorkspace", Rule::workspace_holds_its_kernel,
     changed<[](Schedule& s) { residency(s, 4).bytes = {32}; }, swapped>,
     "loss (instruction 4) has 32 bytes of workspace, its kernel needs 64"},
    {"NoWorkspace", Rule::workspace_holds_its_kernel,
     changed<[](Schedule& s) { instruction(s, 4).workspace = {}; }, swapped>,
     "loss (instruction 4) has 0 bytes of workspace, its kernel needs 64"},
    {"OddAddress", Rule::addresses_are_aligned,
     changed<[](Schedule& s) {
       residency(s, 7).offset += Bytes{32};
       s.arena_bytes = s.plan.capacity = {544};
     },
             in_memory>,
     "workspace or scratch at 480..544: the offset isn't a multiple of 64"},
    {"OddHostAddress", Rule::addresses_are_aligned,
     changed<[](Schedule& s) { s.host_slots[2].offset += Bytes{8}; }, swapped>,
     "host slot of 'loss' at 136..140: the offset isn't a multiple of 64"},
    {"SmallArena", Rule::arena_holds_every_residency, changed<[](Schedule& s) { s.arena_bytes = {255}; }, swapped>,
     "'dw' at 192..256 ends behind the arena's end at 255"},
    {"CapacityOneByteLess", Rule::arena_fits_capacity, changed<[](Schedule& s) { s.plan.capacity = {255}; }, swapped>,
     "the arena has 256 bytes, the capacity is 255: over by 1"},
    {"NoHostSlot", Rule::buffers_have_host_slots, changed<[](Schedule& s) { s.host_slots.pop_back(); }, swapped>,
     "'m' has no host slot, but it is copied"},
    {"NoHostSlotForAnInput", Rule::buffers_have_host_slots, in_memory,
     "'labels' has no host slot, but it begins each step there",
     [](Trace& trace) {
       trace.graph.buffers.push_back({"labels", Role::input, {0}, {8}, std::nullopt});
     }},
    {"HostSlotsOutOfOrder", Rule::buffers_have_host_slots,
     changed<[](Schedule& s) { std::swap(s.host_slots[0], s.host_slots[1]); }, swapped>,
     "host slot of 'image' at 0..64 isn't listed by buffer id, or is there twice"},
    {"SmallHostSlot", Rule::host_slot_holds_its_buffer,
     changed<[](Schedule& s) { s.host_slots[0].bytes = {60}; }, swapped>,
     "host slot of 'image' at 0..60 is smaller than the buffer's 64 bytes"},
    {"HostSlotsOverlap", Rule::host_slots_do_not_overlap,
     changed<[](Schedule& s) { s.host_slots[1].offset = {0}; }, swapped>,
     "host slot of 'image' at 0..64 overlaps the host slot of 'act' at 0..64"},
    {"SmallHostPool", Rule::host_pool_holds_every_slot, changed<[](Schedule& s) { s.host_bytes = {255}; }, swapped>,
     "host slot of 'm' at 192..256 ends behind the host pool's end at 255"},
    {"HostCapacityOneByteLess", Rule::host_pool_fits_capacity,
     changed<[](Schedule& s) { s.plan.host_capacity = Bytes{255}; }, swapped>,
     "the host pool has 256 bytes, the host capacity is 255: over by 1"},
    {"OffsetShifted", Rule::residencies_do_not_overlap,
     changed<[](Schedule& s) { residency(s, 8).offset = {192}; }, swapped>,
     "'dw' at 192..256, there at 3..4, and 'm' at 192..256, there at 4..4, share bytes"},
    {"OneByteShared", Rule::residencies_do_not_overlap,
     changed<[](Schedule& s) { residency(s, 2).bytes = {65}; }, in_memory>,
     "'image' at 128..193, there at 0..0, and 'act' at 192..256, there at 0..3, share bytes"},
    {"AddressOfAWrappingResidency", Rule::residencies_do_not_overlap,
     changed<[](Schedule& s) { residency(s, 5).offset = {0}; }, w_leaves>,
     "'w' at 0..64, there at 2..4, and 'loss' at 0..4, there at 2..2, share bytes"},
    {"ReusedBeforeASwapOutHasRead", Rule::last_users_end_before_reuse, [] { return without_wait(swapped(), 7, 5); },
     "backward (instruction 7) may start to use 'dw' at 192..256 before swap-out loss (instruction 5) has left 'loss' "
     "at "
     "192..196"},
    {"ReusedBeforeAComputeHasEnded", Rule::last_users_end_before_reuse, [] { return without_wait(swapped(), 8, 7); },
     "swap-in m (instruction 8) may start to use 'm' at 64..128 before backward (instruction 7) has left 'out' at "
     "64..128"},
    {"ReadBeforeTheSwapInHasEnded", Rule::swap_in_ends_before_read, [] { return without_wait(swapped(), 7, 6); },
     "backward (instruction 7) may start before swap-in act (instruction 6) has completed; both use 'act' at 128..192"},
    {"SwapOutBeforeTheLastWrite", Rule::write_ends_before_swap_out, [] { return without_wait(swapped(), 3, 1); },
     "swap-out act (instruction 3) may start before forward (instruction 1) has completed; both use 'act' at 128..192"},
    {"ChangedInPlaceUnderASwapOut", Rule::swap_out_ends_before_write,
     [] { return without_wait(out_is_copied(), 4, 3); },
     "loss (instruction 4) may start before swap-out out (instruction 3) has completed; both use 'out' at 256..320"},
    {"SwapInUnderAReader", Rule::users_end_before_swap_in, [] { return without_wait(w_leaves(), 3, 1); },
     "swap-in w (instruction 3) may start before forward (instruction 1) has completed; both use 'w' at 0..64"},
    {"SwapInBeforeTheSwapOutHasEnded", Rule::swap_out_ends_before_swap_in,
     [] { return without_wait(act_moves(), 4, 3); },
     "swap-in act (instruction 4) may start before swap-out act (instruction 3) has completed; both use the host slot "
     "of 'act'"},
    {"SwapOutUnderASwapIn", Rule::slot_users_end_before_swap_out,
     changed<[](Schedule& s) {
       s = without_wait(s, 2, 1);
       instruction(s, 2).inputs[1] = ResidencyId(0);
     },
             w_is_there_twice>,
     "swap-out w (instruction 8) may start before swap-in w (instruction 1) has completed; both use the host slot of "
     "'w'"},
    {"SwapInLeftOut", Rule::residency_is_written_before_read, [] { return without_instruction(swapped(), 6); },
     "backward (instruction 6) reads 'act' at 128..192 before anything has written it"},
    {"SwapInAroundTheEndLeftOut", Rule::residency_is_written_before_read,
     [] { return without_instruction(w_leaves(), 3); },
     "update (instruction 6) reads 'w' at 0..64 before anything has written it"},
    {"SwapOutLeftOut", Rule::host_slot_is_written_before_swap_in, [] { return without_instruction(swapped(), 3); },
     "swap-in act (instruction 5) reads the host slot of 'act', which has no valid copy then"},
    {"StaleAtTheStart", Rule::host_slot_is_written_before_swap_in,
     changed<[](Schedule& s) { s.start[0].host_valid = false; }, w_leaves>,
     "swap-in w (instruction 3) reads the host slot of 'w', which has no valid copy then"},
    {"StaleHostCopy", Rule::host_copy_is_current, out_leaves_too_early,
     "backward (instruction 7) reads 'out' at 512..576, which holds the value of 'head', brought by swap-in out "
     "(instruction 6), "
     "expected the value of 'loss'"},
    {"RerunIntoALiveBuffer", Rule::operand_has_its_value, head_overwrites_out,
     "backward (instruction 6) reads 'out' at 256..320, which holds the value of 'head', expected the value of 'loss'"},
    {"RerunAfterAnUpdate", Rule::operand_has_its_value, forward_runs_after_update,
     "forward#2 (instruction 7) reads 'w' at 0..64, which holds the value of 'update', expected the value at the "
     "step's start"},
    {"UpdateElsewhere", Rule::lasting_buffer_ends_in_arena,
     changed<[](Schedule& s) {
       instruction(s, 6).outputs[0] =
           s.residencies.push_back({residency(s, 0).buffer, {512}, {64}, Position(4), Position(4), false});
       s.arena_bytes = s.plan.capacity = {576};
     },
             in_memory>,
     "the next step starts with 'w' at 0..64, which holds the value at the step's start, expected the value of "
     "'update'"},
    {"UpdateNotCopied", Rule::lasting_buffer_ends_in_host, [] { return without_instruction(swapped(), 10); },
     "at the step's end the host slot of 'm' holds the value at the step's start, expected the value of 'update'"},
    {"StaleHostCopyCalledValid", Rule::lasting_buffer_ends_in_host, [] { return without_instruction(w_leaves(), 8); },
     "at the step's end the host slot of 'w' holds the value at the step's start, expected the value of 'update'"},
    {"LossNotCopied", Rule::loss_ends_in_host, [] { return without_instruction(swapped(), 5); },
     "at the step's end the host slot of 'loss' holds nothing valid, expected the value of 'loss'"},
    {"NoAllReduce", Rule::gradients_are_reduced_once,
     changed<[](Schedule& s) { s.plan.platform.gpus_per_node = 2; }, swapped>,
     "'update' reads 'dw', which has been all-reduced 0 times since it was written, expected once"},
    {"NoSecondMicroBatch", Rule::gradients_hold_every_micro_batch,
     changed<[](Schedule& s) { s.plan.micro_batches = 2; }, swapped>,
     "'update' reads 'dw', which holds 1 times the sum over 1 passes, expected the mean over 2"},
};

void PrintTo(const Mutant& mutant, std::ostream* out) {
  *out << mutant.name;
}

class Mutants : public testing::TestWithParam<Mutant> {};

TEST_P(Mutants, BreakExactlyOneRule) {
  const Mutant& mutant = GetParam();
  Trace trace = toy_trace();
  if (mutant.change_trace != nullptr) mutant.change_trace(trace);
  const Schedule schedule = mutant.make();
  EXPECT_THAT(rules_broken(trace, schedule), ElementsAre(mutant.rule));
  const auto violations = verify(trace, schedule);
  ASSERT_FALSE(violations.empty());
  EXPECT_EQ(violations[0].text, mutant.text);
}

INSTANTIATE_TEST_SUITE_P(Toy, Mutants, testing::ValuesIn(kMutants),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Mutants, ThereIsOneForEachRule) {
  std::set<Rule> bitten;
  for (const Mutant& mutant : kMutants) bitten.insert(mutant.rule);
  EXPECT_THAT(std::vector<Rule>(bitten.begin(), bitten.end()), testing::ElementsAreArray(all_rules()));
}

}  // namespace
}  // namespace spillway
