#include "core/op_description.h"

#include <gtest/gtest.h>

#include "tests/core/small_graph.h"

namespace spillway {
namespace {

TEST(OpDescription, AnOperandsAlignmentIsWhatItsOffsetLeaves) {
  SmallGraph small;
  const BufferId buffer = small.buffer(small.tensor("whole", Role::activation, 1024));
  const auto alignment_at = [&](Bytes offset) {
    const OpId op = small.op("op", {small.view("view", buffer, offset, 1)}, {});
    return describe(small.graph, op, 1).inputs.at(0).alignment;
  };
  EXPECT_EQ(alignment_at(0_B), kMostAlignment);
  EXPECT_EQ(alignment_at(1024_B), kMostAlignment);
  EXPECT_EQ(alignment_at(256_B), 256_B);
  EXPECT_EQ(alignment_at(384_B), 128_B);
  EXPECT_EQ(alignment_at(12_B), 4_B);
  EXPECT_EQ(alignment_at(1023_B), 1_B);
}

}  // namespace
}  // namespace spillway
