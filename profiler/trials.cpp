#include "profiler/trials.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <iterator>
#include <limits>
#include <span>
#include <utility>

#include "core/error.h"

namespace spillway {
namespace {

// By how much medians of three runs may differ though the kernels are equally fast. Assumed: no GPU was measured yet.
constexpr double kNoise = 0.02;
// A kernel is given up after its first run when that takes so many times as long as the best one.
constexpr double kHopeless = 2;

bool is_disputed(const Variant& variant, std::size_t op, bool one_layout) {
  return variant.candidates[op].size() > 1 ||
         (!one_layout && depends_on_layout(variant.distinct.ops[op].description.attributes));
}

/// The best of an op's kernels and what it took.
struct Best {
  Candidate candidate;
  Seconds seconds;
};

Best fastest(Device& device, OpTimer& timer, const OpDescription& op, std::vector<Candidate>& candidates) {
  std::vector<Seconds> seconds;
  Seconds least{std::numeric_limits<double>::infinity()};
  std::exception_ptr refused;
  for (Candidate& candidate : candidates) {
    try {
      candidate.kernel = device.prepare(op, candidate.option.id);
      seconds.push_back(timer.try_out(op, candidate.kernel, candidate.places, kHopeless * least));
    } catch (const Error& error) {
      // Libraries list kernels of which they find out only in a run that they can't run.
      if (error.code() != ExitCode::machine) throw;
      refused = std::current_exception();
      timer.recover();  // throws where the device is lost
      seconds.emplace_back(std::numeric_limits<double>::infinity());
    }
    least = std::min(least, seconds.back());
  }
  if (refused && std::isinf(least.value)) std::rethrow_exception(refused);
  std::size_t best = 0;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    const auto rank = [&](std::size_t each) {
      return std::pair(seconds[each] > (1 + kNoise) * least, candidates[each].option.workspace);
    };
    if (rank(i) < rank(best)) best = i;
  }
  return {candidates[best], seconds[best]};
}

/// The ops that were tried, each once, whatever variants it is in.
class Tried {
 public:
  [[nodiscard]] const Best* find(const OpDescription& op) const {
    const auto found = std::ranges::find(ops_, op, [](const auto& each) { return *each.first; });
    return found == ops_.end() ? nullptr : &found->second;
  }
  /// `op` must stay.
  void add(const OpDescription& op, Best best) { ops_.emplace_back(&op, std::move(best)); }

 private:
  std::vector<std::pair<const OpDescription*, Best>> ops_;
};

/// What the ops that depend on the layout cost at a batch.
LayoutTrial cost_of(const Variant& variant, const Tried& tried, std::size_t batch) {
  LayoutTrial trial{.layout = variant.graph.layout, .batch = variant.batches[batch], .seconds = {}, .workspace = {}};
  for (const OpId id : variant.graph.ops.ids()) {
    if (!depends_on_layout(variant.graph.ops[id].attributes)) continue;
    const Best& best = *tried.find(variant.distinct.ops[variant.distinct.stands_for_at[batch][id]].description);
    trial.seconds += best.seconds;
    trial.workspace = std::max(trial.workspace, best.candidate.option.workspace);
  }
  return trial;
}

/// All batches weigh alike.
Seconds seconds_per_sample(std::span<const LayoutTrial> trials) {
  Seconds sum;
  for (const LayoutTrial& trial : trials) sum += trial.seconds * (1.0 / static_cast<double>(trial.batch));
  return sum;
}

}  // namespace

void prepare_undisputed(Device& device, std::vector<Variant>& variants) {
  Variant& first = variants.front();
  for (std::size_t op = 0; op < first.candidates.size(); ++op) {
    if (is_disputed(first, op, variants.size() == 1)) continue;
    Candidate& only = first.candidates[op].front();
    only.kernel = device.prepare(first.distinct.ops[op].description, only.option.id);
  }
}

Winner try_out(Device& device, OpTimer& timer, std::vector<Variant> variants, const BeforeTrial& before_trial) {
  struct InQuestion {
    const DistinctOp* op;
    std::vector<Candidate>* candidates;
  };
  std::vector<InQuestion> all;
  for (Variant& variant : variants) {
    for (std::size_t op = 0; op < variant.candidates.size(); ++op) {
      const DistinctOp& distinct = variant.distinct.ops[op];
      const bool known = std::ranges::any_of(
          all, [&](const InQuestion& each) { return each.op->description == distinct.description; });
      if (!known && is_disputed(variant, op, variants.size() == 1)) all.push_back({&distinct, &variant.candidates[op]});
    }
  }
  Tried tried;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const OpDescription& op = all[i].op->description;
    before_trial(*all[i].op, i, all.size());
    tried.add(op, fastest(device, timer, op, *all[i].candidates));
  }

  Winner winner;
  std::size_t best_variant = 0;
  Seconds least{std::numeric_limits<double>::infinity()};
  for (std::size_t i = 0; i < variants.size() && variants.size() > 1; ++i) {
    std::vector<LayoutTrial> trials;
    for (std::size_t batch = 0; batch < variants[i].batches.size(); ++batch)
      trials.push_back(cost_of(variants[i], tried, batch));
    if (const Seconds each = seconds_per_sample(trials); each < least) {
      best_variant = i;
      least = each;
    }
    std::ranges::move(trials, std::back_inserter(winner.layouts));
  }
  Variant& chosen = variants[best_variant];
  for (std::size_t op = 0; op < chosen.candidates.size(); ++op) {
    const OpDescription& description = chosen.distinct.ops[op].description;
    const Best* const best = tried.find(description);
    Candidate& kernel = winner.kernels.emplace_back(best ? best->candidate : chosen.candidates[op].front());
    if (!kernel.kernel.valid()) kernel.kernel = device.prepare(description, kernel.option.id);
  }
  winner.variant = std::move(chosen);
  return winner;
}

}  // namespace spillway
