#pragma once

#include <type_traits>

#include "device/cuda/elements/host_device.h"

// Two kinds of functors, both trivially copyable.
//
// An element functor has `void operator()(std::int64_t index) const`, which writes all that belongs to `index`: each
// output element is written by one index only, and the order of indices doesn't matter.
//
// A row functor adds up:
//   Sums                       what a row adds up: `static Sums start()`, `void merge(const Sums&)`; no
//                              constructors, so that it may lie in shared memory
//   row(index) -> One          `terms`, and `void add(std::int64_t term, Sums&) const` for each term below it
//   finish(index, const Sums&) writes all that belongs to the row, no element twice
// Lane l of kRowLanes adds terms l, l + kRowLanes, ... in this order; then the lanes are merged by halves. That order
// is the same on the GPU and on the host, and so are the bits of sums of exact products.

namespace spillway {

constexpr int kRowLanes = 256;  ///< threads of a block; a power of two

template <class Functor, class = void>
constexpr bool kIsRow = false;
template <class Functor>
constexpr bool kIsRow<Functor, std::void_t<typename Functor::Sums>> = true;

/// Some numbers, each added up on its own.
template <int kCount>
struct Totals {
  double value[kCount];

  [[nodiscard]] SPILLWAY_HD static Totals start() {
    Totals totals;
    for (int i = 0; i < kCount; ++i) totals.value[i] = 0;
    return totals;
  }
  SPILLWAY_HD void merge(const Totals& other) {
    for (int i = 0; i < kCount; ++i) value[i] += other.value[i];
  }
};

/// How a long row is cut into parts, so that few rows can use many blocks. From sizes alone, never from the GPU: it
/// fixes the bits.
struct RowParts {
  std::int64_t count;   ///< parts of each row
  std::int64_t length;  ///< terms of a part; the last may have fewer
  std::int64_t terms;   ///< of the whole row
};

/// Adds up each part of each row of `whole`, which is a row functor without `finish`. Its rows are the parts:
/// row r of `whole`, part p is r * parts.count + p.
template <class Whole>
struct PartRow {
  using Sums = typename Whole::Sums;
  struct One {
    decltype(Whole().row(0)) whole;
    std::int64_t first, terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const { whole.add(first + term, sums); }
  };

  Whole whole;
  RowParts parts;
  Sums* partial;  ///< [rows, parts]

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const {
    const Division part = divide(index, parts.count);
    const std::int64_t first = part.remainder * parts.length, left = parts.terms - first;
    return {whole.row(part.quotient), first, left < parts.length ? left : parts.length};
  }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const { partial[index] = sums; }
};

/// Sums that were written before, `count` for each row, to be merged.
template <class Written>
struct MergedSums {
  using Sums = Written;
  struct One {
    const Sums* values;
    std::int64_t terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const { sums.merge(values[term]); }
  };

  const Sums* values;
  std::int64_t count;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const { return {values + index * count, count}; }
};

/// Adds up whole rows: result[row] = scale * sum. `Whole` is a row functor of one number without `finish`.
template <class Whole>
struct WholeRow {
  using Sums = typename Whole::Sums;

  Whole whole;
  double scale;
  float* result;

  [[nodiscard]] SPILLWAY_HD auto row(std::int64_t index) const { return whole.row(index); }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const {
    result[index] = static_cast<float>(scale * sums.value[0]);
  }
};

/// Merges sums written by PartRow, or any others.
using MergedSumRow = WholeRow<MergedSums<Totals<1>>>;

/// One row on the host, in the GPU's order.
template <class Functor>
void run_row_on_host(const Functor& functor, std::int64_t index) {
  using Sums = typename Functor::Sums;
  const auto row = functor.row(index);
  const std::int64_t used = row.terms < kRowLanes ? row.terms : kRowLanes;
  Sums lanes[kRowLanes];
  lanes[0] = Sums::start();
  for (std::int64_t lane = 0; lane < used; ++lane) {
    lanes[lane] = Sums::start();
    for (std::int64_t term = lane; term < row.terms; term += kRowLanes) row.add(term, lanes[lane]);
  }
  // Lanes without terms would change nothing.
  for (std::int64_t half = kRowLanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane + half < used && lane < half; ++lane) lanes[lane].merge(lanes[lane + half]);
  }
  functor.finish(index, lanes[0]);
}

/// What belongs to one index of either kind of functor, on the host.
template <class Functor>
void run_on_host(const Functor& functor, std::int64_t index) {
  if constexpr (kIsRow<Functor>) {
    run_row_on_host(functor, index);
  } else {
    functor(index);
  }
}

}  // namespace spillway
