#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/trace.h"

// Training steps of a chain of layers, made from a few numbers. Opaque ops: for planning and simulating.
//
//   layer i forward     l<i>.forward     reads out of i-1 (the first: `image`), w<i>, [out of the skip's source]
//                                        writes l<i>.out
//   loss                loss             reads the last out and `labels`, writes `loss` and the last out's gradient
//   layer i backward    l<i>.backward    reads l<i>.grad (and l<i>.skip_grad, if a skip begins here), its forward's
//                                        operands; writes w<i>.grad, the gradient of i-1's out, [the skip's]
//   layer i update      l<i>.update      reads w<i>.grad; reads and writes w<i> and its optimizer state m<i>
//
// Ops are issued as: all forwards, loss, then from the last layer down backward and update. A layer in place writes
// into the buffer of the layer before it and so has no out of its own.

namespace spillway {

struct ChainLayer {
  Bytes out;           ///< per sample; of a layer in place: that of the layer before
  Bytes weights = {};  ///< the gradient and the optimizer state have as many; 0: no parameter, no update
  Seconds forward{1e-3}, backward{2e-3};      ///< at batch 1; in proportion to the batch
  std::optional<std::size_t> skip_from = {};  ///< also reads that earlier layer's out
  bool in_place = false;
  Bytes workspace = {};
};

struct ChainDescription {
  std::vector<ChainLayer> layers;
  Bytes image{64};  ///< per sample
  std::vector<std::int64_t> batches{1};
  BytesPerSecond link{1e9};  ///< each way
  Seconds link_start = {};
  Seconds update{1e-4};
};

namespace chain_trace_parts {

class Builder {
 public:
  explicit Builder(const ChainDescription& chain) : chain_(chain) { graph_.name = "chain"; }

  Trace build() {
    const std::size_t n = chain_.layers.size();
    const TensorId image = tensor("image", Role::input, chain_.image, true);
    const TensorId labels = tensor("labels", Role::input, {4}, true);
    for (std::size_t i = 0; i < n; ++i) add_forward(i, image);
    const TensorId loss = tensor("loss", Role::loss, {4}, false);
    gradient_.resize(n);
    skip_gradient_.resize(n);
    gradient_[n - 1] = tensor(name(n - 1) + ".grad", Role::gradient, size_of_out(n - 1), true);
    op("loss", Phase::forward, {out_[n - 1], labels}, {loss, gradient_[n - 1]}, {1e-4}, {});
    for (std::size_t i = n; i-- > 0;) {
      add_backward(i, image);
      add_update(i);
    }
    return finish();
  }

 private:
  static std::string name(std::size_t layer) { return "l" + std::to_string(layer); }
  [[nodiscard]] Bytes size_of_out(std::size_t layer) const {
    while (chain_.layers[layer].in_place) --layer;
    return chain_.layers[layer].out;
  }

  TensorId tensor(const std::string& buffer_name, Role role, Bytes size, bool batched) {
    Buffer buffer{.name = buffer_name,
                  .role = role,
                  .bytes_fixed = batched ? Bytes{} : size,
                  .bytes_per_sample = batched ? size : Bytes{},
                  .initializer = {}};
    if (is_lasting(role)) buffer.initializer = Initializer{};
    return in_buffer(buffer_name, graph_.buffers.push_back(std::move(buffer)), size, batched);
  }
  /// A batched tensor has two dimensions, any other one.
  TensorId in_buffer(const std::string& tensor_name, BufferId buffer, Bytes size, bool batched) {
    return graph_.tensors.push_back({.name = tensor_name,
                                     .buffer = buffer,
                                     .offset = {},
                                     .type = ElementType::float32,
                                     .batched = batched,
                                     .extents = {size.value / 4}});
  }

  void op(const std::string& op_name, Phase phase, std::vector<TensorId> inputs, std::vector<TensorId> outputs,
          Seconds seconds, Bytes workspace) {
    graph_.ops.push_back({.name = op_name,
                          .attributes = Opaque{.what = op_name},
                          .inputs = std::move(inputs),
                          .outputs = std::move(outputs),
                          .phase = phase,
                          .recomputable = phase == Phase::forward});
    seconds_.push_back(seconds);
    workspaces_.push_back(workspace);
  }

  [[nodiscard]] std::vector<TensorId> forward_inputs(std::size_t i, TensorId image) const {
    std::vector<TensorId> inputs{i == 0 ? image : out_[i - 1]};
    if (weights_[i].valid()) inputs.push_back(weights_[i]);
    if (chain_.layers[i].skip_from) inputs.push_back(out_[*chain_.layers[i].skip_from]);
    return inputs;
  }

  void add_forward(std::size_t i, TensorId image) {
    const ChainLayer& layer = chain_.layers[i];
    SPILLWAY_CHECK(!layer.in_place || i > 0, "the first layer has nothing to write in place");
    const bool has_weights = layer.weights.value > 0;
    weights_.push_back(has_weights ? tensor("w" + std::to_string(i), Role::parameter, layer.weights, false)
                                   : TensorId{});
    states_.push_back(has_weights ? tensor("m" + std::to_string(i), Role::optimizer_state, layer.weights, false)
                                  : TensorId{});
    const std::string out = name(i) + ".out";
    out_.push_back(layer.in_place ? in_buffer(out, graph_.tensors[out_[i - 1]].buffer, size_of_out(i), true)
                                  : tensor(out, Role::activation, layer.out, true));
    op(name(i) + ".forward", Phase::forward, forward_inputs(i, image), {out_[i]}, layer.forward, layer.workspace);
  }

  void add_backward(std::size_t i, TensorId image) {
    const ChainLayer& layer = chain_.layers[i];
    std::vector<TensorId> inputs{gradient_[i]};
    if (skip_gradient_[i].valid()) inputs.push_back(skip_gradient_[i]);
    for (const TensorId input : layer.in_place ? std::vector{out_[i]} : forward_inputs(i, image)) {
      inputs.push_back(input);
    }
    std::vector<TensorId> outputs;
    if (weights_[i].valid()) {
      weight_gradient_ = tensor("w" + std::to_string(i) + ".grad", Role::gradient, layer.weights, false);
      outputs.push_back(weight_gradient_);
    }
    if (i > 0) {
      gradient_[i - 1] = tensor(name(i - 1) + ".grad", Role::gradient, size_of_out(i - 1), true);
      outputs.push_back(gradient_[i - 1]);
    }
    if (layer.skip_from) {
      const std::size_t source = *layer.skip_from;
      SPILLWAY_CHECK(source < i && !skip_gradient_[source].valid(), "one skip a layer, from an earlier one");
      skip_gradient_[source] = tensor(name(source) + ".skip_grad", Role::gradient, size_of_out(source), true);
      outputs.push_back(skip_gradient_[source]);
    }
    if (outputs.empty()) outputs.push_back(tensor(name(i) + ".nothing", Role::gradient, {4}, false));
    op(name(i) + ".backward", Phase::backward, inputs, outputs, layer.backward, layer.workspace);
  }

  void add_update(std::size_t i) {
    if (!weights_[i].valid()) return;
    op(name(i) + ".update", Phase::update, {weights_[i], weight_gradient_, states_[i]}, {weights_[i], states_[i]},
       chain_.update, {});
  }

  Trace finish() {
    Trace trace;
    for (const std::int64_t batch : chain_.batches) {
      BatchCosts costs{.batch = batch, .kernels = {}, .kernel_of = {}};
      for (const OpId id : graph_.ops.ids()) {
        const bool by_sample = graph_.ops[id].phase != Phase::update;
        const Seconds seconds = seconds_[id.index()] * (by_sample ? static_cast<double>(batch) : 1.0);
        costs.kernel_of.push_back(static_cast<std::uint32_t>(costs.kernels.size()));
        costs.kernels.push_back({.kernel = graph_.ops[id].name,
                                 .workspace = workspaces_[id.index()],
                                 .seconds = seconds,
                                 .spread = 0,
                                 .seconds_while_copying = seconds,
                                 .repeats = 1});
      }
      trace.batches.push_back(std::move(costs));
    }
    trace.graph = std::move(graph_);
    trace.interference_rate = {2 * chain_.link.value};
    trace.machine = {.name = "test",
                     .device = "cpu",
                     .nodes = 1,
                     .gpus_per_node = 1,
                     .device_memory = {std::int64_t{1} << 40},
                     .host_memory = {std::int64_t{1} << 40},
                     .host_link = {.in = {.value = chain_.link, .source = "test"},
                                   .out = {.value = chain_.link, .source = "test"},
                                   .both = std::nullopt,
                                   .start = chain_.link_start}};
    return trace;
  }

  const ChainDescription& chain_;
  Graph graph_;
  std::vector<TensorId> weights_, states_, out_, gradient_, skip_gradient_;
  TensorId weight_gradient_;
  std::vector<Seconds> seconds_;
  std::vector<Bytes> workspaces_;
};

}  // namespace chain_trace_parts

[[nodiscard]] inline Trace chain_trace(const ChainDescription& chain) {
  return chain_trace_parts::Builder(chain).build();
}

/// A chain of 4 to 14 layers with sizes over three orders of magnitude, skips, layers in place, workspaces, and a link
/// anywhere between useless and free. Same seed, same chain.
[[nodiscard]] inline ChainDescription random_chain(unsigned seed) {
  std::mt19937 random(seed);
  const auto between = [&](int low, int high) {  // not std::uniform_int_distribution: it differs between libraries
    return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  };
  ChainDescription chain;
  const int layers = between(4, 14);
  std::vector<bool> has_skip(static_cast<std::size_t>(layers), false);
  for (int i = 0; i < layers; ++i) {
    ChainLayer layer;
    layer.out = {std::int64_t{64} << between(0, 10)};
    layer.weights = {between(0, 3) == 0 ? 0 : std::int64_t{64} << between(0, 8)};
    layer.forward = {1e-6 * between(1, 2000)};
    layer.backward = 2.0 * layer.forward;
    if (between(0, 2) == 0) layer.workspace = {between(1, 4000)};
    layer.in_place = i > 0 && between(0, 3) == 0;
    if (!layer.in_place && i > 2 && between(0, 2) == 0) {
      const auto source = static_cast<std::size_t>(between(0, i - 3));
      const bool overwritten = chain.layers[source + 1].in_place;  // then the next layer's out is the one to read
      if (!overwritten && !has_skip[source]) layer.skip_from = source;
      if (layer.skip_from) has_skip[source] = true;
    }
    chain.layers.push_back(layer);
  }
  chain.image = {std::int64_t{64} << between(0, 6)};
  chain.link = {1e6 * static_cast<double>(std::int64_t{1} << between(0, 9))};
  chain.link_start = {1e-6 * between(0, 100)};
  return chain;
}

[[nodiscard]] inline BufferId buffer_with_name(const Graph& graph, std::string_view name) {
  for (const BufferId buffer : graph.buffers.ids()) {
    if (graph.buffers[buffer].name == name) return buffer;
  }
  SPILLWAY_CHECK(false, "no buffer '" + std::string(name) + "'");
  return {};
}

[[nodiscard]] inline OpId op_with_name(const Graph& graph, std::string_view name) {
  for (const OpId op : graph.ops.ids()) {
    if (graph.ops[op].name == name) return op;
  }
  SPILLWAY_CHECK(false, "no op '" + std::string(name) + "'");
  return {};
}

}  // namespace spillway
