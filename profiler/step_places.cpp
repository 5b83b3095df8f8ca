#include "profiler/step_places.h"

#include <algorithm>
#include <map>
#include <utility>

namespace spillway {
namespace {

/// A part of a buffer, or a workspace, with bytes of its own.
struct Piece {
  BufferId buffer;  ///< invalid: a workspace
  Bytes offset;     ///< in the buffer
  Bytes at, size;   ///< in the area
  [[nodiscard]] Bytes end() const { return at + size; }
};

bool overlap(const Piece& a, const Piece& b) {
  return a.at < b.end() && b.at < a.end();
}

/// Bytes given away in turn, around and around.
class Ring {
 public:
  Ring(Bytes begin, Bytes end, Bytes alignment) : begin_(begin), end_(end), alignment_(alignment), next_(begin) {}

  /// A new op: from now on its operands are held, those of the last one aren't.
  void next_op() { held_.clear(); }

  /// Where the part lies, which is held then: where it was, or else in new bytes. Empty: what is held leaves no room.
  std::optional<Bytes> find_or_take(BufferId buffer, Bytes offset, Bytes size) {
    for (const Piece& piece : pieces_) {
      if (piece.buffer != buffer || offset < piece.offset || piece.offset + piece.size < offset + size) continue;
      held_.push_back(piece);
      return piece.at + (offset - piece.offset);
    }
    return take(buffer, offset, size);
  }

  std::optional<Bytes> take(BufferId buffer, Bytes offset, Bytes size) {
    size = align_up(size, alignment_);
    const std::optional<Bytes> at = free_from(next_, size) ? free_from(next_, size) : free_from(begin_, size);
    if (!at) return std::nullopt;
    const Piece piece{buffer, offset, *at, size};
    std::erase_if(pieces_, [&](const Piece& other) {
      return overlap(other, piece) || (buffer.valid() && other.buffer == buffer && other.offset == offset);
    });
    if (buffer.valid()) pieces_.push_back(piece);
    held_.push_back(piece);
    next_ = piece.end();
    return at;
  }

  void forget_all() {
    pieces_.clear();
    held_.clear();
    next_ = begin_;
  }

 private:
  /// The first place from there on that touches nothing held.
  [[nodiscard]] std::optional<Bytes> free_from(Bytes at, Bytes size) const {
    while (at + size <= end_) {
      const Piece wanted{{}, {}, at, size};
      const auto hit = std::ranges::find_if(held_, [&](const Piece& held) { return overlap(held, wanted); });
      if (hit == held_.end()) return at;
      at = hit->end();
    }
    return std::nullopt;
  }

  Bytes begin_, end_, alignment_, next_;
  std::vector<Piece> pieces_, held_;
};

bool is_float(const Tensor& tensor) {
  return tensor.type == ElementType::float32;
}

/// Calls visit(tensor) for the first tensor of each buffer of integers.
template <class Visit>
void for_each_of_integers(const Graph& graph, Visit visit) {
  IdVector<BufferId, char> seen(graph.buffers.size());
  for (const Tensor& tensor : graph.tensors) {
    if (is_float(tensor) || seen[tensor.buffer] != 0) continue;
    seen[tensor.buffer] = 1;
    visit(tensor);
  }
}

class Placing {
 public:
  Placing(const Graph& graph, std::int64_t batch, Bytes room, Bytes alignment, Bytes integers)
      : graph_(graph), batch_(batch), integers_(graph.buffers.size()), ring_(integers, room, alignment) {
    places_.floats = integers;
    Bytes next;
    for_each_of_integers(graph, [&](const Tensor& tensor) {
      OperandDescription operand{.type = tensor.type, .batched = tensor.batched, .extents = tensor.extents};
      if (tensor.batched) operand.extents.insert(operand.extents.begin(), batch);
      places_.integers.push_back({next, std::move(operand)});
      integers_[tensor.buffer] = next;
      next += align_up(bytes(graph.buffers[tensor.buffer], batch), alignment);
    });
  }

  /// False: there is no room.
  bool add(const Op& op, Bytes workspace) {
    ring_.next_op();
    if (std::optional<OperandPlaces> places = place(op, workspace)) {
      places_.ops.push_back(*std::move(places));
      return true;
    }
    ring_.forget_all();  // what the op's operands left between them was too small
    std::optional<OperandPlaces> places = place(op, workspace);
    if (places) places_.ops.push_back(*std::move(places));
    return places.has_value();
  }

  [[nodiscard]] StepPlaces finish() { return std::move(places_); }

 private:
  std::optional<OperandPlaces> place(const Op& op, Bytes workspace) {
    OperandPlaces places;
    for (const auto& [tensors, into] : {std::pair(&op.inputs, &places.inputs), {&op.outputs, &places.outputs}}) {
      for (const TensorId id : *tensors) {
        const Tensor& tensor = graph_.tensors[id];
        const std::optional<Bytes> at = is_float(tensor)
                                            ? ring_.find_or_take(tensor.buffer, tensor.offset, bytes(tensor, batch_))
                                            : integers_[tensor.buffer] + tensor.offset;
        if (!at) return std::nullopt;
        into->push_back(*at);
      }
    }
    const std::optional<Bytes> at = ring_.take({}, {}, workspace);
    if (!at) return std::nullopt;
    places.workspace = *at;
    return places;
  }

  const Graph& graph_;
  std::int64_t batch_;
  IdVector<BufferId, Bytes> integers_;
  Ring ring_;
  StepPlaces places_;
};

}  // namespace

Bytes bytes_of_integers(const Graph& graph, std::int64_t batch, Bytes alignment) {
  Bytes sum;
  for_each_of_integers(
      graph, [&](const Tensor& tensor) { sum += align_up(bytes(graph.buffers[tensor.buffer], batch), alignment); });
  return sum;
}

std::optional<StepPlaces> place_step(const Graph& graph, std::int64_t batch, const std::vector<Bytes>& workspaces,
                                     Bytes room, Bytes alignment) {
  const Bytes integers = bytes_of_integers(graph, batch, alignment);
  if (integers > room) return std::nullopt;
  Placing placing(graph, batch, room, alignment, integers);
  for (const OpId id : graph.ops.ids()) {
    if (!placing.add(graph.ops[id], workspaces[id.index()])) return std::nullopt;
  }
  return placing.finish();
}

}  // namespace spillway
