#include "cli/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/plot_scale.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> labels(const PlotScale& scale) {
  std::vector<std::string> all;
  for (const PlotScale::Tick& tick : scale.ticks()) all.push_back(tick.label);
  return all;
}

TEST(PlotScale, TakesTheUnitOfTheGreatestValueAndRoundTicks) {
  // 6 % of the distance of 140 MiB beside the outermost values: 91.6 to 248.4 MiB.
  const PlotScale scale({.title = "capacity", .unit = PlotUnit::bytes}, 100 * 0x1p20, 240 * 0x1p20, false);
  EXPECT_EQ(scale.title(), "capacity (MiB)");
  EXPECT_THAT(labels(scale), ElementsAre("100", "150", "200"));
  EXPECT_DOUBLE_EQ(scale.place(170 * 0x1p20), 0.5);
}

TEST(PlotScale, BeginsAtZeroWhereItIsAskedTo) {
  const PlotScale scale({.title = "step", .unit = PlotUnit::seconds}, 0.01, 0.06, true);
  EXPECT_EQ(scale.title(), "step (ms)");
  EXPECT_THAT(labels(scale), ElementsAre("0", "20", "40", "60"));
  EXPECT_EQ(scale.place(0), 0);
}

TEST(PlotScale, IsLogarithmicBeyondAFactorOfTwenty) {
  const PlotAxis axis{.title = "step", .unit = PlotUnit::seconds};
  EXPECT_EQ(PlotScale(axis, 0.1, 2, false).title(), "step (s)");
  const PlotScale scale(axis, 0.1, 2.5, true);
  EXPECT_EQ(scale.title(), "step (s, logarithmic)");
  EXPECT_THAT(labels(scale), ElementsAre("0.1", "0.2", "0.5", "1", "2"));
  EXPECT_NEAR(scale.place(0.5), 0.5, 1e-12);  // the geometric mean
  // Over many decades, these only.
  EXPECT_THAT(labels(PlotScale(axis, 2e-3, 20, true)), ElementsAre("0.01", "0.1", "1", "10"));
}

TEST(PlotScale, ShowsASingleValue) {
  const PlotScale scale({.title = "capacity", .unit = PlotUnit::bytes}, 0x1p30, 0x1p30, false);
  EXPECT_EQ(scale.title(), "capacity (GiB)");
  EXPECT_DOUBLE_EQ(scale.place(0x1p30), 0.5);
  EXPECT_GE(scale.ticks().size(), 2U);
}

TEST(Plot, NamesEveryLineThatHasPointsAndEscapesNames) {
  const std::vector<PlotLine> lines{{.label = "a<b & c", .points = {{.x = 1024, .y = 1}, {.x = 2048, .y = 0.5}}},
                                    {.label = "empty", .points = {}},
                                    {.label = "single", .points = {{.x = 1024, .y = 0.7}}}};
  const std::string svg = svg_plot("title", {.title = "capacity", .unit = PlotUnit::bytes},
                                   {.title = "step", .unit = PlotUnit::seconds}, lines);
  EXPECT_THAT(svg, HasSubstr(">a&lt;b &amp; c</text>"));
  EXPECT_THAT(svg, HasSubstr(">single</text>"));
  EXPECT_THAT(svg, Not(HasSubstr("empty")));
  EXPECT_THAT(svg, HasSubstr(">capacity (KiB)</text>"));
  EXPECT_THAT(svg, HasSubstr(">step (s)</text>"));
}

}  // namespace
}  // namespace spillway
