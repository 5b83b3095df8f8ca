#include "core/philox.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers of Random123 (Salmon et al. 2011) for philox4x32 with 10 rounds: zeros, ones, digits of pi.
static_assert(philox4x32_10({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox4x32_10({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
              Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

TEST(Philox, WordsBecomeNumbersBelowOne) {
  EXPECT_EQ(unit_interval(0), 0);
  EXPECT_EQ(unit_interval(0x80000000U), 0.5);
  EXPECT_LT(unit_interval(0xffffffffU), 1);
}

}  // namespace
}  // namespace spillway
