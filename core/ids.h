#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ranges>
#include <utility>
#include <vector>

namespace spillway {

/// An index that only fits the vector it was made for: an OpId can't index a tensor.
template <class Tag>
struct Id {
  static constexpr std::uint32_t kNone = 0xffffffffU;
  std::uint32_t value = kNone;

  constexpr Id() = default;
  constexpr explicit Id(std::size_t index) : value(static_cast<std::uint32_t>(index)) {}

  friend constexpr auto operator<=>(Id, Id) = default;
  /// Whether this names something.
  [[nodiscard]] constexpr bool valid() const { return value != kNone; }
  [[nodiscard]] constexpr std::size_t index() const { return value; }
};

using OpId = Id<struct OpTag>;
using TensorId = Id<struct TensorTag>;
using BufferId = Id<struct BufferTag>;
using StreamId = Id<struct StreamTag>;
using InstructionId = Id<struct InstructionTag>;
using ResidencyId = Id<struct ResidencyTag>;
/// An index into the compute stream's order.
using Position = Id<struct PositionTag>;

/// A vector that is indexed by one kind of id.
template <class I, class T>
class IdVector {
 public:
  IdVector() = default;
  explicit IdVector(std::size_t size, const T& value = T()) : items_(size, value) {}

  [[nodiscard]] typename std::vector<T>::reference operator[](I id) { return items_[id.index()]; }
  [[nodiscard]] typename std::vector<T>::const_reference operator[](I id) const { return items_[id.index()]; }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] auto begin() { return items_.begin(); }
  [[nodiscard]] auto end() { return items_.end(); }
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }
  [[nodiscard]] T& back() { return items_.back(); }
  [[nodiscard]] const T& back() const { return items_.back(); }
  [[nodiscard]] const std::vector<T>& items() const { return items_; }
  void resize(std::size_t size, const T& value = T()) { items_.resize(size, value); }
  void reserve(std::size_t size) { items_.reserve(size); }

  /// Appends and returns the new item's id.
  I push_back(T item) {
    items_.push_back(std::move(item));
    return I(items_.size() - 1);
  }

  /// All ids, in order.
  [[nodiscard]] auto ids() const {
    return std::views::iota(std::size_t{0}, items_.size()) |
           std::views::transform([](std::size_t index) { return I(index); });
  }

  friend bool operator==(const IdVector&, const IdVector&) = default;

 private:
  std::vector<T> items_;
};

}  // namespace spillway

template <class Tag>
struct std::hash<spillway::Id<Tag>> {
  std::size_t operator()(spillway::Id<Tag> id) const noexcept { return id.value; }
};
