#include "tests/models/operands.h"

#include <numeric>
#include <span>
#include <variant>

#include "core/op_description.h"

namespace spillway {

namespace {

constexpr std::int64_t kBatch = 3;  // unlike any other extent's default

/// The operands of one op, by position, as extents with the batch in front.
struct Operands {
  std::vector<OperandDescription> in, out;
  std::vector<int> in_place;
  std::string wrong;

  void expect(bool holds, const char* what) {
    if (!holds && wrong.empty()) wrong = what;
  }
  void counts(std::size_t inputs, std::size_t outputs) {
    expect(in.size() == inputs && out.size() == outputs, "operand count");
  }
  [[nodiscard]] bool counted() const { return wrong.empty(); }
};

std::int64_t product(std::span<const std::int64_t> extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

/// Space (extents 2...) of `y` is what `window` makes of that of `x`.
bool fits(const Window& window, const Extents& x, const Extents& y) {
  if (x.size() != window.kernel.size() + 2 || y.size() != x.size()) return false;
  for (std::size_t d = 0; d < window.kernel.size(); ++d) {
    const std::int64_t room = x[d + 2] + 2 * window.padding[d] - window.kernel[d];
    if (room < 0 || y[d + 2] != room / window.stride[d] + 1) return false;
  }
  return true;
}

bool is_weight(const Window& window, const Extents& weights, std::int64_t out, std::int64_t in) {
  Extents expected{out, in};
  expected.insert(expected.end(), window.kernel.begin(), window.kernel.end());
  return weights == expected;
}

Extents vector_of(std::int64_t n) {
  return {n};
}

void check(Operands& o, const Convolution& a) {
  o.counts(o.in.size() == 3 ? 3 : 2, 1);
  if (!o.counted()) return;
  const Extents &x = o.in[0].extents, &y = o.out[0].extents;
  o.expect(fits(a.window, x, y) && x[0] == y[0], "window");
  o.expect(is_weight(a.window, o.in[1].extents, y[1], x[1]), "weights");
  o.expect(o.in.size() == 2 || o.in[2].extents == vector_of(y[1]), "bias");
}
void check(Operands& o, const ConvolutionBackwardData& a) {
  o.counts(2, 1);
  if (!o.counted()) return;
  const Extents &dy = o.in[0].extents, &dx = o.out[0].extents;
  o.expect(fits(a.window, dx, dy) && is_weight(a.window, o.in[1].extents, dy[1], dx[1]), "window");
}
void check(Operands& o, const ConvolutionBackwardWeights& a) {
  o.counts(2, o.out.size() == 2 ? 2 : 1);
  if (!o.counted()) return;
  const Extents &x = o.in[0].extents, &dy = o.in[1].extents;
  o.expect(fits(a.window, x, dy) && is_weight(a.window, o.out[0].extents, dy[1], x[1]), "window");
  o.expect(o.out.size() == 1 || o.out[1].extents == vector_of(dy[1]), "bias");
}
void linear(Operands& o, const Extents& x, const Extents& weights, const Extents& y) {
  o.expect(weights == Extents({y.at(1), product(std::span(x).subspan(1))}) && x[0] == y[0], "weights");
}
void check(Operands& o, const Linear&) {
  o.counts(3, 1);
  if (!o.counted()) return;
  linear(o, o.in[0].extents, o.in[1].extents, o.out[0].extents);
  o.expect(o.in[2].extents == vector_of(o.out[0].extents[1]), "bias");
}
void check(Operands& o, const LinearBackwardData&) {
  o.counts(2, 1);
  if (o.counted()) linear(o, o.out[0].extents, o.in[1].extents, o.in[0].extents);
}
void check(Operands& o, const LinearBackwardWeights&) {
  o.counts(2, 2);
  if (!o.counted()) return;
  linear(o, o.in[0].extents, o.out[0].extents, o.in[1].extents);
  o.expect(o.out[1].extents == vector_of(o.in[1].extents[1]), "bias");
}
void norm(Operands& o, bool per_sample) {
  o.counts(3, 3);
  if (!o.counted()) return;
  const Extents& x = o.in[0].extents;
  const Extents statistic = per_sample ? Extents{x[0], x[1]} : Extents{x[1]};
  o.expect(o.in[1].extents == vector_of(x[1]) && o.in[2].extents == vector_of(x[1]), "scale and shift");
  o.expect(o.out[0].extents == x && o.out[1].extents == statistic && o.out[2].extents == statistic, "results");
}
void norm_backward(Operands& o, bool per_sample) {
  o.counts(5, 3);
  if (!o.counted()) return;
  const Extents& x = o.in[1].extents;
  const Extents statistic = per_sample ? Extents{x[0], x[1]} : Extents{x[1]};
  o.expect(o.in[0].extents == x && o.out[0].extents == x, "dy and dx");
  o.expect(o.in[2].extents == vector_of(x[1]) && o.in[3].extents == statistic && o.in[4].extents == statistic, "saved");
  o.expect(o.out[1].extents == vector_of(x[1]) && o.out[2].extents == vector_of(x[1]), "dscale and dshift");
}
void check(Operands& o, const InstanceNorm&) {
  norm(o, true);
}
void check(Operands& o, const BatchNorm&) {
  norm(o, false);
}
void check(Operands& o, const InstanceNormBackward&) {
  norm_backward(o, true);
}
void check(Operands& o, const BatchNormBackward&) {
  norm_backward(o, false);
}
void check(Operands& o, const RunningStatistics&) {
  o.counts(4, 2);
  if (!o.counted()) return;
  for (const OperandDescription& operand : o.in) o.expect(operand.extents == o.in[0].extents, "channels");
  o.expect(o.in_place == std::vector<int>({2, 3}), "in place");
}
void all_alike(Operands& o, std::size_t inputs) {
  o.counts(inputs, 1);
  for (const OperandDescription& operand : o.in) o.expect(operand == o.out[0], "shapes");
}
void check(Operands& o, const LeakyRelu&) {
  all_alike(o, 1);
}
void check(Operands& o, const LeakyReluBackward&) {
  all_alike(o, 2);
}
void check(Operands& o, const Sigmoid&) {
  all_alike(o, 1);
}
void check(Operands& o, const SigmoidBackward&) {
  all_alike(o, 2);
}
void check(Operands& o, const Add&) {
  all_alike(o, 2);
}
void concat(Operands& o, const Extents& a, const Extents& b, Extents c) {
  c.at(1) -= b.at(1);
  o.expect(c == a, "first part");
  c[1] = b[1];
  o.expect(c == b, "second part");
}
void check(Operands& o, const Concat&) {
  o.counts(2, 1);
  if (o.counted()) concat(o, o.in[0].extents, o.in[1].extents, o.out[0].extents);
}
void check(Operands& o, const ConcatBackward&) {
  o.counts(1, 2);
  if (o.counted()) concat(o, o.out[0].extents, o.out[1].extents, o.in[0].extents);
}
void upsample(Operands& o, Extents x, const Extents& y, std::int64_t factor) {
  for (std::size_t d = 2; d < x.size(); ++d) x[d] *= factor;
  o.expect(x == y, "space");
}
void check(Operands& o, const Upsample& a) {
  o.counts(1, 1);
  if (o.counted()) upsample(o, o.in[0].extents, o.out[0].extents, a.factor);
}
void check(Operands& o, const UpsampleBackward& a) {
  o.counts(1, 1);
  if (o.counted()) upsample(o, o.out[0].extents, o.in[0].extents, a.factor);
}
void check(Operands& o, const MaxPool& a) {
  o.counts(1, 2);
  if (!o.counted()) return;
  o.expect(fits(a.window, o.in[0].extents, o.out[0].extents) && o.in[0].extents[1] == o.out[0].extents[1], "window");
  o.expect(o.out[1].extents == o.out[0].extents && o.out[1].type == ElementType::uint8, "choice");
}
void check(Operands& o, const MaxPoolBackward& a) {
  o.counts(2, 1);
  if (!o.counted()) return;
  o.expect(fits(a.window, o.out[0].extents, o.in[0].extents) && o.in[0].extents[1] == o.out[0].extents[1], "window");
  o.expect(o.in[1].extents == o.in[0].extents && o.in[1].type == ElementType::uint8, "choice");
}
void check(Operands& o, const GlobalAveragePool&) {
  o.counts(1, 1);
  if (o.counted()) o.expect(o.out[0].extents == Extents({o.in[0].extents[0], o.in[0].extents[1]}), "channels");
}
void check(Operands& o, const GlobalAveragePoolBackward&) {
  o.counts(1, 1);
  if (o.counted()) o.expect(o.in[0].extents == Extents({o.out[0].extents[0], o.out[0].extents[1]}), "channels");
}
void check(Operands& o, const Accumulate&) {
  o.expect(o.in.size() == 2 * o.out.size(), "operand count");
  if (!o.counted()) return;
  for (std::size_t i = 0; i < o.out.size(); ++i) {
    o.expect(o.in[2 * i] == o.out[i] && o.in[2 * i + 1] == o.out[i], "shapes");
    o.expect(o.in_place[i] == static_cast<int>(2 * i), "in place");
  }
}
bool is_counter(const OperandDescription& operand) {
  return operand.type == ElementType::int64 && operand.extents == vector_of(1);
}
void check(Operands& o, const ChannelDropout&) {
  o.counts(4, 1);
  if (o.counted()) {
    o.expect(o.in[0] == o.out[0] && is_counter(o.in[1]) && is_counter(o.in[2]) && is_counter(o.in[3]), "shapes");
  }
}
bool are_classes(const OperandDescription& labels, std::int64_t batch) {
  return labels.type == ElementType::int64 && labels.extents == vector_of(batch);
}
void check(Operands& o, const SoftmaxCrossEntropy&) {
  o.counts(2, 2);
  if (!o.counted()) return;
  o.expect(o.in[0].extents.size() == 2 && o.out[1] == o.in[0] && are_classes(o.in[1], o.in[0].extents[0]), "shapes");
  o.expect(o.out[0].extents == vector_of(1) && !o.out[0].batched, "loss");
}
void check(Operands& o, const SoftmaxCrossEntropyBackward&) {
  o.counts(2, 1);
  if (o.counted()) o.expect(o.in[0] == o.out[0] && are_classes(o.in[1], o.in[0].extents[0]), "shapes");
}
void check(Operands& o, const DiceLoss&) {
  o.counts(2, 2);
  if (!o.counted()) return;
  const Extents& p = o.in[0].extents;
  o.expect(o.in[1] == o.in[0] && o.out[1].extents == Extents({p[0], 2 * p[1]}), "shapes");
  o.expect(o.out[0].extents == vector_of(1) && !o.out[0].batched, "loss");
}
void check(Operands& o, const DiceLossBackward&) {
  o.counts(2, 1);
  if (o.counted())
    o.expect(o.in[0] == o.out[0] && o.in[1].extents == Extents({o.in[0].extents[0], 2 * o.in[0].extents[1]}), "shapes");
}
void check(Operands& o, const AdvanceStep&) {
  o.counts(1, 1);
  if (o.counted()) o.expect(is_counter(o.in[0]) && o.in_place == std::vector<int>({0}), "step");
}
void update(Operands& o, std::size_t moments) {
  if (!o.counted()) return;
  for (std::size_t i = 1; i < 2 + moments; ++i) o.expect(o.in[i] == o.in[0], "shapes");
  const OperandDescription& rate = o.in[2 + moments];
  o.expect(rate.type == ElementType::float32 && rate.extents == vector_of(1), "learning rate");
  o.expect(o.in_place[0] == 0 && o.in_place[1] == 2 && o.in_place.back() == static_cast<int>(1 + moments), "in place");
}
void check(Operands& o, const SgdMomentum&) {
  o.counts(4, 2);
  update(o, 1);
}
void check(Operands& o, const Adam&) {
  o.counts(6, 3);
  update(o, 2);
  if (o.counted()) o.expect(is_counter(o.in[5]), "step");
}
void check(Operands& o, const AllReduce&) {
  o.expect(false, "all-reduces stand in planned steps only");
}
void check(Operands& o, const Opaque&) {
  o.expect(false, "nothing known");
}

}  // namespace

std::vector<std::string> operand_mistakes(const Graph& graph) {
  std::vector<std::string> found;
  for (const OpId id : graph.ops.ids()) {
    const OpDescription description = describe(graph, id, kBatch);
    Operands operands{description.inputs, description.outputs, description.in_place, {}};
    std::visit([&](const auto& attributes) { check(operands, attributes); }, graph.ops[id].attributes);
    if (!operands.wrong.empty()) found.push_back(graph.ops[id].name + ": " + operands.wrong);
  }
  return found;
}

}  // namespace spillway
