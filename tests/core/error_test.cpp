#include "core/error.h"

#include <gtest/gtest.h>

#include <vector>

namespace spillway {
namespace {

TEST(NearestName, IsTheOneWithTheFewestEdits) {
  const std::vector<std::string> policies{"in-memory", "swap-all", "tflms", "threshold"};
  EXPECT_EQ(nearest_name("treshold", policies), "threshold");
  EXPECT_EQ(nearest_name("swapall", policies), "swap-all");
  EXPECT_EQ(nearest_name("tflms", policies), "tflms");
}

TEST(NearestName, IsEmptyWhenNothingIsNear) {
  const std::vector<std::string> policies{"in-memory", "swap-all"};
  EXPECT_EQ(nearest_name("quantize", policies), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Check, NamesThePromiseThatWasBroken) {
  const int n = 3;
  EXPECT_NO_THROW(SPILLWAY_CHECK(n == 3, "three"));
  try {
    SPILLWAY_CHECK(n == 4, "four");
    FAIL() << "nothing was thrown";
  } catch (const Bug& bug) {
    EXPECT_TRUE(std::string(bug.what()).ends_with(": 'n == 4' doesn't hold: four")) << bug.what();
  }
}

}  // namespace
}  // namespace spillway
