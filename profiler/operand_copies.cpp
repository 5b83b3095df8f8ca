#include "profiler/operand_copies.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <variant>

#include "core/error.h"

namespace spillway {
namespace {

/// The choice a max pool would note for the middle of each window: valid for every window, padded or not.
std::byte middle_of_window(const OpDescription& op) {
  std::int64_t volume = 1;
  const auto multiply = [&](const Window& window) {
    for (const std::int64_t extent : window.kernel) volume *= extent;
  };
  if (const auto* pool = std::get_if<MaxPoolBackward>(&op.attributes)) multiply(pool->window);
  return static_cast<std::byte>(volume / 2);
}

template <class Integer>
void fill_integers(Workbench& bench, Bytes at, const OperandDescription& operand) {
  // Labels of any number of classes alternate; a counter is that of the first step.
  const std::array<Integer, 2> pattern{operand.batched ? Integer{0} : Integer{1}, Integer{1}};
  bench.fill_pattern(at, bytes(operand), std::as_bytes(std::span(pattern)));
}

}  // namespace

void fill_operand(Workbench& bench, Bytes at, const OperandDescription& operand, std::byte choice) {
  switch (operand.type) {
    case ElementType::float32: bench.fill_uniform(at, bytes(operand)); return;
    case ElementType::int32: fill_integers<std::int32_t>(bench, at, operand); return;
    case ElementType::int64: fill_integers<std::int64_t>(bench, at, operand); return;
    case ElementType::uint8: bench.fill_pattern(at, bytes(operand), std::span(&choice, 1)); return;
  }
}

OperandCopies::OperandCopies(Workbench& bench, const OpDescription& op, KernelId kernel, const OperandPlaces& places,
                             std::size_t most)
    : bench_(bench), op_(op), kernel_(kernel) {
  SPILLWAY_CHECK(most >= 1, "an op without operands");
  const Bytes each = align_up(places.end, bench.device().properties().alignment);
  Bytes at = bench.operands();
  const Bytes end = at + bench.room();
  do {
    Copy copy{.inputs = places.inputs, .outputs = places.outputs, .workspace = at + places.workspace};
    for (Bytes& input : copy.inputs) input += at;
    for (Bytes& output : copy.outputs) output += at;
    copies_.push_back(std::move(copy));
    at += each;
  } while (copies_.size() < most && at + places.end <= end);
}

void OperandCopies::fill(bool only_overwritten) {
  for (const Copy& copy : copies_) {
    for (std::size_t i = 0; i < op_.inputs.size(); ++i) {
      const bool overwritten = std::ranges::find(op_.in_place, static_cast<int>(i)) != op_.in_place.end();
      if (only_overwritten && !overwritten) continue;
      fill_operand(bench_, copy.inputs[i], op_.inputs[i], middle_of_window(op_));
    }
  }
}

void OperandCopies::enqueue_run() {
  const Copy& copy = copies_[next_];
  next_ = (next_ + 1) % copies_.size();
  bench_.device().enqueue_op(bench_.compute(), kernel_, {copy.inputs, copy.outputs, copy.workspace});
}

}  // namespace spillway
