#include "executor/learning_rate.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace spillway {
namespace {

TEST(LearningRate, StaysTheSame) {
  const LearningRate rate = parse_learning_rate("0.01");
  EXPECT_DOUBLE_EQ(rate.at(0), 0.01);
  EXPECT_DOUBLE_EQ(rate.at(1'000'000), 0.01);
}

TEST(LearningRate, FallsByAFactorEverySoManySteps) {
  const LearningRate rate = parse_learning_rate("step:0.1,0.5,1000");
  EXPECT_DOUBLE_EQ(rate.at(999), 0.1);
  EXPECT_DOUBLE_EQ(rate.at(1000), 0.05);
  EXPECT_DOUBLE_EQ(rate.at(2500), 0.025);
}

TEST(LearningRate, FallsAlongHalfACosine) {
  const LearningRate rate = parse_learning_rate("cosine:0.2,100");
  EXPECT_DOUBLE_EQ(rate.at(0), 0.2);
  EXPECT_NEAR(rate.at(50), 0.1, 1e-15);
  EXPECT_NEAR(rate.at(100), 0, 1e-15);
  EXPECT_NEAR(rate.at(200), 0, 1e-15);
}

class BadLearningRate : public testing::TestWithParam<const char*> {};

TEST_P(BadLearningRate, IsRefusedInOneLine) {
  try {
    static_cast<void>(parse_learning_rate(GetParam()));
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), std::string("--learning-rate: found '") + GetParam() +
                                "', expected 0.01, step:BASE,FACTOR,STEPS or cosine:BASE,STEPS with numbers above 0");
    EXPECT_EQ(error.code(), ExitCode::input);
  }
}

INSTANTIATE_TEST_SUITE_P(Texts, BadLearningRate,
                         testing::Values("", "-1", "0", "nan", "fast", "step:0.1", "step:0.1,0.5,1.5", "cosine:0.1,0",
                                         "linear:0.1,5", "0.1,0.2", "0.1x"));

}  // namespace
}  // namespace spillway
