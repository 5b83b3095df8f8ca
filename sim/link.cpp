#include "sim/link.h"

#include <algorithm>

namespace spillway {

LinkShare share(const HostLink& link, bool in_busy, bool out_busy) {
  LinkShare rates{.in = {in_busy ? link.in.value.value : 0}, .out = {out_busy ? link.out.value.value : 0}};
  if (!link.both || !in_busy || !out_busy) return rates;
  const double cap = link.both->value.value;
  if (rates.in.value + rates.out.value <= cap) return rates;
  const double least = std::min({rates.in.value, rates.out.value, cap / 2});
  if (rates.in.value <= rates.out.value) {
    rates.in = {least};
    rates.out = {cap - least};
  } else {
    rates.out = {least};
    rates.in = {cap - least};
  }
  return rates;
}

}  // namespace spillway
