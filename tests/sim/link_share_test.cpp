
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "sim/machine.h"

namespace spillway {
namespace {

struct LinkCase {
  std::string name;
  double in = 0, out = 0;
  std::optional<double> both = {};
  bool in_busy = true, out_busy = true;
  double expected_in = 0, expected_out = 0;
};

class LinkShareTest : public testing::TestWithParam<LinkCase> {};

TEST_P(LinkShareTest, GivesEachDirectionItsShare) {
  const LinkCase& c = GetParam();
  Platform platform;
  platform.host_link = {.in = {{c.in}, ""}, .out = {{c.out}, ""}, .both = {}, .start = {}};
  if (c.both) platform.host_link.both = Rate{{*c.both}, ""};
  const Machine machine(platform);
  std::vector<std::uint32_t> active;
  if (c.in_busy) active.push_back(machine.swap_in(0));
  if (c.out_busy) active.push_back(machine.swap_out(0));
  const std::vector<double>& rates = machine.rates(active);
  EXPECT_DOUBLE_EQ(rates[machine.swap_in(0)], c.expected_in);
  EXPECT_DOUBLE_EQ(rates[machine.swap_out(0)], c.expected_out);
}

INSTANTIATE_TEST_SUITE_P(
    MaxMin, LinkShareTest,
    testing::Values(
        LinkCase{.name = "IdleLinkCarriesNothing", .in = 8, .out = 8, .in_busy = false, .out_busy = false},
        LinkCase{
            .name = "OneDirectionAloneIsNotCapped", .in = 8, .out = 6, .both = 4, .out_busy = false, .expected_in = 8},
        LinkCase{.name = "WithoutACapBothGoAtTheirOwnRate", .in = 8, .out = 6, .expected_in = 8, .expected_out = 6},
        LinkCase{.name = "ACapAboveBothIsNone", .in = 8, .out = 6, .both = 15, .expected_in = 8, .expected_out = 6},
        LinkCase{
            .name = "EqualRatesHalveTheCap", .in = 10, .out = 10, .both = 15, .expected_in = 7.5, .expected_out = 7.5},
        // out can't use its half of 10, so in gets what is left.
        LinkCase{.name = "TheSlowOneKeepsItsRate", .in = 9, .out = 2, .both = 10, .expected_in = 8, .expected_out = 2},
        LinkCase{.name = "TheSlowOneKeepsItsRateTheOtherWay",
                 .in = 2,
                 .out = 9,
                 .both = 10,
                 .expected_in = 2,
                 .expected_out = 8},
        LinkCase{
            .name = "BothAboveHalfTheCapGetHalf", .in = 9, .out = 6, .both = 10, .expected_in = 5, .expected_out = 5}),
    [](const testing::TestParamInfo<LinkCase>& tested) { return tested.param.name; });

}  // namespace
}  // namespace spillway
