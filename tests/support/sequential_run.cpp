#include "tests/support/sequential_run.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "core/error.h"
#include "core/fill.h"
#include "core/op_description.h"

namespace spillway {

namespace {

constexpr std::uint64_t kSeed = 1;

/// Calls move(logical, physical) with the index of each element in logical order and in memory.
template <class Move>
void between_orders(const Graph& graph, const Tensor& tensor, std::int64_t batch, Move move) {
  const std::int64_t total = elements(tensor, batch);
  if (graph.layout == Layout::channels_first || !tensor.batched || tensor.extents.size() < 2) {
    for (std::int64_t i = 0; i < total; ++i) move(static_cast<std::size_t>(i), static_cast<std::size_t>(i));
    return;
  }
  const std::int64_t channels = tensor.extents[0], space = total / batch / channels;
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t s = 0; s < space; ++s) {
        move(static_cast<std::size_t>((n * channels + c) * space + s),
             static_cast<std::size_t>((n * space + s) * channels + c));
      }
    }
  }
}

}  // namespace

SequentialRun::SequentialRun(Device& device, const Graph& graph, std::int64_t batch)
    : device_(device), graph_(graph), batch_(batch), offsets_(graph.buffers.size()), kernels_(graph.ops.size()) {
  const Bytes alignment = device.properties().alignment;
  Bytes arena, largest;
  for (const BufferId id : graph.buffers.ids()) {
    offsets_[id] = arena;
    arena += align_up(bytes(graph.buffers[id], batch), alignment);
    largest = std::max(largest, bytes(graph.buffers[id], batch));
  }
  workspace_ = arena;
  Bytes workspace;
  std::vector<std::string> chosen;
  for (const OpId id : graph.ops.ids()) {
    const std::vector<KernelOption> options = device.kernels(describe(graph, id, batch));
    if (options.empty()) throw machine_error("no kernel for op '" + graph.ops[id].name + "'");
    chosen.push_back(options.front().id);
    workspace = std::max(workspace, options.front().workspace);
  }
  device.allocate(arena + align_up(workspace, alignment), align_up(largest, alignment));
  for (const OpId id : graph.ops.ids()) kernels_[id] = device.prepare(describe(graph, id, batch), chosen[id.index()]);
  compute_ = device.create_stream(StreamRole::compute, graph.ops.size() + 1);
  swap_in_ = device.create_stream(StreamRole::swap_in, 2);
  swap_out_ = device.create_stream(StreamRole::swap_out, 2);
  completed_ = device.create_event();
  initialize();
}

void SequentialRun::step() {
  for (const OpId id : graph_.ops.ids()) {
    std::vector<Bytes> inputs, outputs;
    for (const TensorId tensor : graph_.ops[id].inputs) inputs.push_back(address(tensor));
    for (const TensorId tensor : graph_.ops[id].outputs) outputs.push_back(address(tensor));
    device_.enqueue_op(compute_, kernels_[id], {inputs, outputs, workspace_});
  }
  wait_for_everything(compute_);
}

void SequentialRun::set(std::string_view name, const std::vector<float>& values) {
  const Tensor& tensor = graph_.tensors[find(name)];
  SPILLWAY_CHECK(
      tensor.type == ElementType::float32 && elements(tensor, batch_) == static_cast<std::int64_t>(values.size()),
      tensor.name);
  std::vector<float> stored(values.size());
  between_orders(graph_, tensor, batch_,
                 [&](std::size_t logical, std::size_t physical) { stored[physical] = values[logical]; });
  upload(address(find(name)), std::as_bytes(std::span(stored)));
}

void SequentialRun::set(std::string_view name, const std::vector<std::int64_t>& values) {
  const Tensor& tensor = graph_.tensors[find(name)];
  SPILLWAY_CHECK(
      tensor.type == ElementType::int64 && elements(tensor, batch_) == static_cast<std::int64_t>(values.size()),
      tensor.name);
  upload(address(find(name)), std::as_bytes(std::span(values)));
}

std::vector<float> SequentialRun::get(std::string_view name) {
  return get(find(name));
}

std::vector<float> SequentialRun::get(TensorId id) {
  const Tensor& tensor = graph_.tensors[id];
  SPILLWAY_CHECK(tensor.type == ElementType::float32, tensor.name);
  const std::span<const std::byte> raw = download(address(id), bytes(tensor, batch_));
  std::vector<float> stored(raw.size() / sizeof(float)), values(stored.size());
  std::memcpy(stored.data(), raw.data(), raw.size());
  between_orders(graph_, tensor, batch_,
                 [&](std::size_t logical, std::size_t physical) { values[logical] = stored[physical]; });
  return values;
}

TensorId SequentialRun::find(std::string_view name) const {
  for (const TensorId id : graph_.tensors.ids()) {
    if (graph_.tensors[id].name == name) return id;
  }
  report_bug("a tensor has this name", __FILE__, __LINE__, std::string(name));
}

Bytes SequentialRun::address(TensorId id) const {
  const Tensor& tensor = graph_.tensors[id];
  return offsets_[tensor.buffer] + tensor.offset;
}

void SequentialRun::initialize() {
  for (const BufferId id : graph_.buffers.ids()) {
    const Buffer& buffer = graph_.buffers[id];
    const auto size = static_cast<std::size_t>(bytes(buffer, batch_).value);
    std::vector<std::byte> content(size, std::byte{0xff});  // a NaN, as a float
    if (buffer.initializer) {
      const auto [kind, value] = *buffer.initializer;
      const auto first = std::ranges::find(graph_.tensors, id, &Tensor::buffer);
      const bool counter = first != graph_.tensors.end() && first->type == ElementType::int64;
      std::vector<float> floats(size / sizeof(float), static_cast<float>(value));
      if (kind == Initializer::Kind::uniform) fill_uniform(floats, buffer.name, kSeed, -value, value);
      if (counter) {
        const auto number = static_cast<std::int64_t>(value);
        std::memcpy(content.data(), &number, sizeof number);
      } else {
        std::memcpy(content.data(), floats.data(), size);
      }
    }
    upload(offsets_[id], content);
  }
}

void SequentialRun::upload(Bytes to, std::span<const std::byte> from) {
  std::copy(from.begin(), from.end(), device_.host_pool().begin());
  device_.enqueue_swap_in(swap_in_, Bytes{0}, to, Bytes{static_cast<std::int64_t>(from.size())});
  wait_for_everything(swap_in_);
}

std::span<const std::byte> SequentialRun::download(Bytes from, Bytes size) {
  device_.enqueue_swap_out(swap_out_, from, Bytes{0}, size);
  wait_for_everything(swap_out_);
  return device_.host_pool().first(static_cast<std::size_t>(size.value));
}

void SequentialRun::wait_for_everything(StreamId stream) {
  device_.enqueue_record(stream, completed_, ++waits_);
  device_.wait(completed_, waits_);
}

}  // namespace spillway
