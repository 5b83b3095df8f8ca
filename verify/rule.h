#pragma once

#include <span>
#include <string>
#include <string_view>

namespace spillway {

/// What a Schedule must obey to be safe to run. The numbers are the same in `docs/verifier.md`, tests and messages;
/// they count from 1 without holes.
enum class Rule {
  // Form: what the other checks index with.
  not_supported_yet = 1,
  ids_are_in_range = 2,
  sizes_are_sound = 3,
  operand_counts_match = 4,
  batch_is_profiled = 5,
  // Structure: which instructions there are, and in which order.
  kernels_match_trace = 6,
  streams_fit_their_instructions = 7,
  ops_run_once_in_graph_order = 8,
  reruns_are_recomputable = 9,
  instructions_are_in_total_order = 10,
  waits_point_backwards = 11,
  operands_live_in_their_buffers = 12,
  scratch_is_never_read = 13,
  scratch_is_not_shared = 14,
  residency_interval_is_sound = 15,
  residency_covers_its_users = 16,
  start_lists_lasting_buffers = 17,
  // Sizes: arena and host pool hold.
  residency_holds_its_buffer = 18,
  workspace_holds_its_kernel = 19,
  addresses_are_aligned = 20,
  arena_holds_every_residency = 21,
  arena_fits_capacity = 22,
  buffers_have_host_slots = 23,
  host_slot_holds_its_buffer = 24,
  host_slots_do_not_overlap = 25,
  host_pool_holds_every_slot = 26,
  host_pool_fits_capacity = 27,
  // Order: whatever the durations, conflicting accesses happen one after the other.
  residencies_do_not_overlap = 28,
  last_users_end_before_reuse = 29,
  swap_in_ends_before_read = 30,
  write_ends_before_swap_out = 31,
  swap_out_ends_before_write = 32,
  users_end_before_swap_in = 33,
  swap_out_ends_before_swap_in = 34,
  slot_users_end_before_swap_out = 35,
  // Values: every read sees what the in-order step would give it.
  residency_is_written_before_read = 36,
  host_slot_is_written_before_swap_in = 37,
  host_copy_is_current = 38,
  operand_has_its_value = 39,
  lasting_buffer_ends_in_arena = 40,
  lasting_buffer_ends_in_host = 41,
  loss_ends_in_host = 42,
  // Several ranks: they add up their gradients.
  gradients_are_reduced_once = 43,
  // Several micro-batches: their gradients are added up.
  gradients_hold_every_micro_batch = 44,
};

/// All rules, by number.
[[nodiscard]] std::span<const Rule> all_rules();

/// The rule's name, spelled as above.
[[nodiscard]] std::string_view to_text(Rule rule);

/// One breach of a rule. The text is one line that names instructions, buffers and addresses.
struct Violation {
  Rule rule;
  std::string text;
  friend bool operator==(const Violation&, const Violation&) = default;
};

}  // namespace spillway
