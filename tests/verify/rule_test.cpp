#include "verify/rule.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

namespace spillway {
namespace {

std::string documentation() {
  std::ifstream file(SPILLWAY_SOURCE_DIR "/docs/verifier.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Rule, NumbersCountFromOneWithoutHoles) {
  int number = 0;
  for (const Rule rule : all_rules()) EXPECT_EQ(static_cast<int>(rule), ++number);
  EXPECT_EQ(number, static_cast<int>(Rule::gradients_hold_every_micro_batch));
}

TEST(Rule, NamesAreUniqueAndSpelledAsInCode) {
  std::set<std::string_view> names;
  for (const Rule rule : all_rules()) names.insert(to_text(rule));
  EXPECT_EQ(names.size(), all_rules().size());
  EXPECT_EQ(to_text(Rule::swap_in_ends_before_read), "swap_in_ends_before_read");
  EXPECT_EQ(to_text(static_cast<Rule>(0)), "unknown rule");
}

TEST(Rule, EachHasItsPlaceInTheDocumentation) {
  const std::string text = documentation();
  for (const Rule rule : all_rules())
    EXPECT_THAT(text, testing::HasSubstr(fmt::format("\n### {} `{}`\n", static_cast<int>(rule), to_text(rule))));
}

}  // namespace
}  // namespace spillway
