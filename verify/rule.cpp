#include "verify/rule.h"

#include <algorithm>
#include <array>
#include <utility>

namespace spillway {
namespace {

constexpr auto kNames = std::to_array<std::pair<Rule, std::string_view>>({
    {Rule::not_supported_yet, "not_supported_yet"},
    {Rule::ids_are_in_range, "ids_are_in_range"},
    {Rule::sizes_are_sound, "sizes_are_sound"},
    {Rule::operand_counts_match, "operand_counts_match"},
    {Rule::batch_is_profiled, "batch_is_profiled"},
    {Rule::kernels_match_trace, "kernels_match_trace"},
    {Rule::streams_fit_their_instructions, "streams_fit_their_instructions"},
    {Rule::ops_run_once_in_graph_order, "ops_run_once_in_graph_order"},
    {Rule::reruns_are_recomputable, "reruns_are_recomputable"},
    {Rule::instructions_are_in_total_order, "instructions_are_in_total_order"},
    {Rule::waits_point_backwards, "waits_point_backwards"},
    {Rule::operands_live_in_their_buffers, "operands_live_in_their_buffers"},
    {Rule::scratch_is_never_read, "scratch_is_never_read"},
    {Rule::scratch_is_not_shared, "scratch_is_not_shared"},
    {Rule::residency_interval_is_sound, "residency_interval_is_sound"},
    {Rule::residency_covers_its_users, "residency_covers_its_users"},
    {Rule::start_lists_lasting_buffers, "start_lists_lasting_buffers"},
    {Rule::residency_holds_its_buffer, "residency_holds_its_buffer"},
    {Rule::workspace_holds_its_kernel, "workspace_holds_its_kernel"},
    {Rule::addresses_are_aligned, "addresses_are_aligned"},
    {Rule::arena_holds_every_residency, "arena_holds_every_residency"},
    {Rule::arena_fits_capacity, "arena_fits_capacity"},
    {Rule::buffers_have_host_slots, "buffers_have_host_slots"},
    {Rule::host_slot_holds_its_buffer, "host_slot_holds_its_buffer"},
    {Rule::host_slots_do_not_overlap, "host_slots_do_not_overlap"},
    {Rule::host_pool_holds_every_slot, "host_pool_holds_every_slot"},
    {Rule::host_pool_fits_capacity, "host_pool_fits_capacity"},
    {Rule::residencies_do_not_overlap, "residencies_do_not_overlap"},
    {Rule::last_users_end_before_reuse, "last_users_end_before_reuse"},
    {Rule::swap_in_ends_before_read, "swap_in_ends_before_read"},
    {Rule::write_ends_before_swap_out, "write_ends_before_swap_out"},
    {Rule::swap_out_ends_before_write, "swap_out_ends_before_write"},
    {Rule::users_end_before_swap_in, "users_end_before_swap_in"},
    {Rule::swap_out_ends_before_swap_in, "swap_out_ends_before_swap_in"},
    {Rule::slot_users_end_before_swap_out, "slot_users_end_before_swap_out"},
    {Rule::residency_is_written_before_read, "residency_is_written_before_read"},
    {Rule::host_slot_is_written_before_swap_in, "host_slot_is_written_before_swap_in"},
    {Rule::host_copy_is_current, "host_copy_is_current"},
    {Rule::operand_has_its_value, "operand_has_its_value"},
    {Rule::lasting_buffer_ends_in_arena, "lasting_buffer_ends_in_arena"},
    {Rule::lasting_buffer_ends_in_host, "lasting_buffer_ends_in_host"},
    {Rule::loss_ends_in_host, "loss_ends_in_host"},
    {Rule::gradients_are_reduced_once, "gradients_are_reduced_once"},
    {Rule::gradients_hold_every_micro_batch, "gradients_hold_every_micro_batch"},
});

constexpr auto kRules = [] {
  std::array<Rule, kNames.size()> rules{};
  std::ranges::transform(kNames, rules.begin(), [](const auto& row) { return row.first; });
  return rules;
}();

// to_text indexes by number.
static_assert([] {
  for (std::size_t i = 0; i < kRules.size(); ++i)
    if (static_cast<std::size_t>(kRules[i]) != i + 1) return false;
  return true;
}());

}  // namespace

std::span<const Rule> all_rules() {
  return kRules;
}

std::string_view to_text(Rule rule) {
  const auto number = static_cast<std::size_t>(rule);
  return number >= 1 && number <= kNames.size() ? kNames[number - 1].second : "unknown rule";
}

}  // namespace spillway
