#include "tests/support/random_step.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "compile/recompute.h"
#include "core/error.h"
#include "core/gradients.h"
#include "core/micro_batches.h"

namespace spillway {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  /// Uniform in [low, high]; not a standard distribution, since those differ between libraries.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(int percent) { return between(0, 99) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& items) {
    return items[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(items.size()) - 1))];
  }

 private:
  std::mt19937_64 engine_;
};

class StepBuilder {
 public:
  explicit StepBuilder(unsigned seed) : random_(seed) { graph_.name = "random step " + std::to_string(seed); }

  Trace build() {
    const auto layers = static_cast<std::size_t>(random_.between(3, 9));
    forward(layers);
    const TensorId labels = tensor("labels", Role::input);
    TensorId gradient = tensor("last.grad", Role::gradient);
    op("loss", Phase::forward, {current_, labels}, {tensor("loss", Role::loss), gradient}, false);
    for (std::size_t i = layers; i-- > 0;) gradient = backward(layers_[i], gradient);
    updates();
    return finish();
  }

 private:
  struct Layer {
    std::string name;
    TensorId from, to, mask, weights, skip;
    bool in_place = false;
  };

  TensorId tensor(const std::string& name, Role role) {
    const Bytes size{4 * random_.between(1, 60)};
    const BufferId buffer =
        graph_.buffers.push_back({.name = name,
                                  .role = role,
                                  .bytes_fixed = size,
                                  .bytes_per_sample = {},
                                  .initializer = is_lasting(role) ? std::optional(Initializer{}) : std::nullopt});
    return view(name, buffer, {}, size);
  }
  TensorId view(const std::string& name, BufferId buffer, Bytes offset, Bytes size) {
    return graph_.tensors.push_back({.name = name,
                                     .buffer = buffer,
                                     .offset = offset,
                                     .type = ElementType::float32,
                                     .batched = false,
                                     .extents = {size.value / 4}});
  }
  /// Another tensor for the same bytes: what an op in place writes.
  TensorId again(const std::string& name, TensorId tensor) {
    const Tensor& old = graph_.tensors[tensor];
    return view(name, old.buffer, old.offset, bytes(old, 1));
  }
  void op(const std::string& name, Phase phase, std::vector<TensorId> inputs, std::vector<TensorId> outputs,
          bool recomputable) {
    std::erase_if(inputs, [](TensorId t) { return !t.valid(); });
    std::erase_if(outputs, [](TensorId t) { return !t.valid(); });
    graph_.ops.push_back({.name = name,
                          .attributes = Opaque{.what = name},
                          .inputs = std::move(inputs),
                          .outputs = std::move(outputs),
                          .phase = phase,
                          .recomputable = recomputable});
  }

  void forward(std::size_t layers) {
    current_ = tensor("image", Role::input);
    std::vector<TensorId> weights;
    for (std::size_t i = 0; i < layers; ++i) weights.push_back(tensor("w" + std::to_string(i), Role::parameter));
    if (layers > 3 && random_.chance(50)) weights[layers - 1] = weights[0];
    std::vector<TensorId> readable;  // outputs that no layer in place has overwritten or may overwrite
    bool read_later = true;
    for (std::size_t i = 0; i < layers; ++i) {
      Layer layer{.name = "l" + std::to_string(i), .from = current_, .to = {}, .mask = {}, .weights = {}, .skip = {}};
      layer.in_place = !read_later && random_.chance(35);
      if (layer.in_place) {
        layer.to = again(layer.name + ".out", current_);
        op(layer.name, Phase::forward, {current_}, {layer.to}, true);
      } else {
        layer.to = tensor(layer.name + ".out", Role::activation);
        if (random_.chance(40)) layer.mask = tensor(layer.name + ".mask", Role::activation);
        layer.weights = weights[i];
        if (!readable.empty() && random_.chance(50)) layer.skip = random_.one_of(readable);
        op(layer.name, Phase::forward, {current_, layer.weights, layer.skip}, {layer.to, layer.mask}, true);
        readable.push_back(current_);
      }
      read_later = false;
      current_ = layer.to;
      layers_.push_back(layer);
    }
  }

  TensorId backward(const Layer& layer, TensorId gradient) {
    const std::string name = layer.name + ".backward";
    if (layer.in_place) {
      const TensorId changed = again(layer.name + ".grad", gradient);
      op(name, Phase::backward, {gradient, layer.to}, {changed}, false);
      return changed;
    }
    const TensorId below = tensor(layer.name + ".grad", Role::gradient);
    const BufferId weights = graph_.tensors[layer.weights].buffer;
    const bool accumulate = weight_gradients_.contains(weights);
    if (!accumulate) weight_gradients_[weights] = tensor(layer.name + ".weights.grad", Role::gradient);
    const TensorId before = accumulate ? weight_gradients_[weights] : TensorId{};
    if (accumulate) weight_gradients_[weights] = again(layer.name + ".weights.grad.sum", before);
    const TensorId dw = weight_gradients_[weights];
    if (random_.chance(50)) {
      op(name + ".weights", Phase::backward, {gradient, layer.from, layer.mask, before}, {dw}, false);
      op(name + ".data", Phase::backward, {gradient, layer.weights, layer.skip}, {below}, false);
    } else {
      op(name, Phase::backward, {gradient, layer.from, layer.mask, layer.weights, layer.skip, before}, {below, dw},
         false);
    }
    return below;
  }

  void updates() {
    TensorId norm;
    if (random_.chance(30)) {
      norm = tensor("norm", Role::activation);
      std::vector<TensorId> all;
      for (const auto& [weights, gradient] : weight_gradients_) all.push_back(gradient);
      op("clip", Phase::update, all, {norm}, false);
    }
    for (const auto& [weights, gradient] : weight_gradients_) {
      const std::string name = graph_.buffers[weights].name;
      if (random_.chance(15)) continue;  // frozen
      const std::int64_t words = bytes(graph_.buffers[weights], 1).value / 4;
      const std::int64_t slices = std::min<std::int64_t>(words, random_.chance(30) ? 3 : 1);
      for (std::int64_t slice = 0; slice < slices; ++slice) {
        const std::string part = name + ".update." + std::to_string(slice);
        const Bytes from{4 * (words * slice / slices)}, to{4 * (words * (slice + 1) / slices)};
        const TensorId old = view(part + ".old", weights, from, to - from),
                       fresh = view(part + ".new", weights, from, to - from);
        const TensorId state = tensor(part + ".state", Role::optimizer_state);
        op(part, Phase::update, {old, gradient, state, norm}, {fresh, again(part + ".state.new", state)}, false);
      }
    }
  }

  Trace finish() {
    Trace trace;
    BatchCosts costs{.batch = 1, .kernels = {}, .kernel_of = {}};
    const Graph timed = with_accumulations(graph_);
    for (const OpId id : timed.ops.ids()) {
      const Seconds seconds{1e-6 * static_cast<double>(random_.between(1, 10'000))};
      add_kernel(costs, graph_.ops.size(), static_cast<std::uint32_t>(id.index()));
      costs.kernels.push_back({.kernel = timed.ops[id].name,
                               .workspace = {random_.chance(30) ? 4 * random_.between(1, 60) : 0},
                               .seconds = seconds,
                               .spread = 0,
                               .seconds_while_copying = seconds * 1.2,
                               .repeats = 1});
    }
    trace.batches.push_back(std::move(costs));
    trace.graph = std::move(graph_);
    trace.interference_rate = {1e9};
    const Rate rate{.value = {1e5 * static_cast<double>(random_.between(1, 10'000))}, .source = "random"};
    trace.machine = {.name = "random",
                     .device = "cpu",
                     .nodes = 1,
                     .gpus_per_node = 1,
                     .device_memory = {1 << 30},
                     .host_memory = {1 << 30},
                     .host_link = {.in = rate, .out = rate, .both = {}, .start = {1e-6}}};
    return trace;
  }

  Random random_;
  Graph graph_;
  TensorId current_;
  std::vector<Layer> layers_;
  std::map<BufferId, TensorId> weight_gradients_;
};

/// Recomputes of the ops that made what `buffer` holds at its use before the gap, to run right before the use behind
/// it.
std::vector<Recompute> recompute_chain(const Graph& graph, const IdVector<Position, OpRun>& stream, BufferId buffer,
                                       const Use& before, const Use& behind) {
  std::vector<Recompute> chain;
  for (std::size_t at = before.position.index() + 1; at-- > 0;) {
    const OpRun& run = stream[Position(at)];
    const bool scratch = std::ranges::find(run.scratch, buffer) != run.scratch.end();
    if (!writes(graph, run.op, buffer) || scratch) continue;
    chain.insert(chain.begin(), Recompute{.op = run.op,
                                          .before = stream[behind.position].op,
                                          .before_run = stream[behind.position].run,
                                          .kept = {buffer}});
    if (!reads(graph, run.op, buffer, 1)) return chain;
  }
  return {};
}

void add_recomputes(const Graph& graph, Plan& plan, Random& random) {
  const std::int64_t tries = random.between(0, 8);
  for (std::int64_t i = 0; i < tries; ++i) {
    const IdVector<Position, OpRun> stream = compute_stream(graph, plan.recomputes);
    const IdVector<BufferId, std::vector<Use>> all = uses(graph, stream, 1);
    std::vector<std::pair<BufferId, std::size_t>> candidates;
    for (const BufferId buffer : graph.buffers.ids()) {
      if (graph.buffers[buffer].role != Role::activation) continue;
      for (std::size_t k = 0; k + 1 < all[buffer].size(); ++k) {
        const Use &before = all[buffer][k], &behind = all[buffer][k + 1];
        if (!behind.fresh() && behind.position.value > before.position.value + 1) candidates.emplace_back(buffer, k);
      }
    }
    if (candidates.empty()) return;
    const auto [buffer, k] = random.one_of(candidates);
    const std::vector<Recompute> chain = recompute_chain(graph, stream, buffer, all[buffer][k], all[buffer][k + 1]);
    Plan trial = plan;
    trial.recomputes.insert(trial.recomputes.end(), chain.begin(), chain.end());
    try {
      check_recomputations(graph, compute_stream(graph, trial.recomputes), 1);
    } catch (const Error&) {
      continue;  // would read other values: not legal
    }
    plan = std::move(trial);
  }
}

}  // namespace

Trace random_step(unsigned seed) {
  return StepBuilder(seed).build();
}

Plan random_plan(const Trace& trace, unsigned seed) {
  Random random(seed * 7919 + 17);
  Plan plan;
  plan.platform = trace.machine;
  plan.capacity = {std::numeric_limits<std::int64_t>::max()};
  plan.policy = "random";
  add_recomputes(trace.graph, plan, random);
  const IdVector<Position, OpRun> stream = compute_stream(trace.graph, plan.recomputes);
  const auto n = static_cast<std::int64_t>(stream.size());
  for (const Gap& gap : gaps(trace.graph, uses(trace.graph, stream, 1), stream.size())) {
    if (random.chance(50)) continue;
    Swap swap{
        .gap = gap, .release = {}, .begin = {}, .mode = static_cast<SwapMode>(random.between(0, 3)), .remark = ""};
    const auto position = [&](std::int64_t p) { return Position(static_cast<std::size_t>(p % n)); };
    if (!gap.after.valid()) {
      swap.begin = position(random.between(0, gap.before.value));
    } else if (!gap.before.valid()) {
      swap.release = position(random.between(gap.after.value, n - 1));
    } else {
      const std::int64_t last = gap.before.value + (gap.wraps ? n : 0);
      const std::int64_t release = random.between(gap.after.value, last - 1);
      const std::int64_t begin = random.between(release + 1, last);
      if (begin - release >= n) continue;  // one position for both would read as none
      swap.release = position(release);
      swap.begin = position(begin);
    }
    plan.swaps.push_back(swap);
  }
  return plan;
}

GradientReduction random_reduction(const Trace& trace, unsigned seed) {
  Random random(seed + 77'000);
  GradientReduction reduction{
      .buckets = std::vector<std::vector<BufferId>>(static_cast<std::size_t>(random.between(1, 4))),
      .updates_behind = random.between(1, 4)};
  for (const BufferId gradient : parameter_gradients(trace.graph)) {
    const auto last = static_cast<std::int64_t>(reduction.buckets.size()) - 1;
    reduction.buckets[static_cast<std::size_t>(random.between(0, last))].push_back(gradient);
  }
  std::erase_if(reduction.buckets, [](const std::vector<BufferId>& bucket) { return bucket.empty(); });
  return reduction;
}

}  // namespace spillway
