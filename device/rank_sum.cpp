#include "device/rank_sum.h"

#include <utility>

namespace spillway {
namespace {

Bytes size_of(const ArenaPiece& piece) {
  return {piece.floats * static_cast<std::int64_t>(sizeof(float))};
}

Bytes size_of(std::span<const ArenaPiece> pieces) {
  Bytes sum;
  for (const ArenaPiece& piece : pieces) sum += size_of(piece);
  return sum;
}

std::span<float> floats_at(std::byte* memory, Bytes offset, Bytes size) {
  return {reinterpret_cast<float*>(memory + offset.value), static_cast<std::size_t>(size.value) / sizeof(float)};
}

}  // namespace

RankSumPlace rank_sum_place(Device& device) {
  if (device.has_all_reduce()) return RankSumPlace::device;
  return device.arena_on_host() != nullptr ? RankSumPlace::arena : RankSumPlace::host_pool;
}

Bytes RankSum::staging(Device& device, std::span<const ArenaPiece> pieces) {
  return rank_sum_place(device) == RankSumPlace::host_pool ? size_of(pieces) : Bytes{};
}

std::size_t RankSum::commands(Device& device, std::span<const ArenaPiece> pieces) {
  return rank_sum_place(device) == RankSumPlace::host_pool ? 2 * pieces.size() + 1 : 1;
}

RankSum::RankSum(Device& device, std::vector<ArenaPiece> pieces, Bytes staging, HostSum sum, float scale)
    : device_(device),
      place_(rank_sum_place(device)),
      pieces_(std::move(pieces)),
      staging_(staging),
      sum_(std::move(sum)),
      scale_(scale) {
  if (place_ == RankSumPlace::arena) {
    for (const ArenaPiece& piece : pieces_)
      on_host_.push_back(floats_at(device_.arena_on_host(), piece.offset, size_of(piece)));
  } else if (place_ == RankSumPlace::host_pool) {
    on_host_.push_back(floats_at(device_.host_pool().data(), staging_, size_of(pieces_)));
  }
}

void RankSum::enqueue(StreamId stream) {
  switch (place_) {
    case RankSumPlace::device: device_.enqueue_all_reduce(stream, pieces_, scale_); break;
    case RankSumPlace::arena: device_.enqueue_host_function(stream, &RankSum::add_up, this); break;
    case RankSumPlace::host_pool: enqueue_staged(stream); break;
  }
}

void RankSum::enqueue_staged(StreamId stream) {
  Bytes at = staging_;
  for (const ArenaPiece& piece : pieces_) {
    device_.enqueue_swap_out(stream, piece.offset, at, size_of(piece));
    at += size_of(piece);
  }
  device_.enqueue_host_function(stream, &RankSum::add_up, this);
  at = staging_;
  for (const ArenaPiece& piece : pieces_) {
    device_.enqueue_swap_in(stream, at, piece.offset, size_of(piece));
    at += size_of(piece);
  }
}

void RankSum::add_up(void* rank_sum) {
  const auto& self = *static_cast<const RankSum*>(rank_sum);
  self.sum_(self.on_host_, self.scale_);
}

}  // namespace spillway
