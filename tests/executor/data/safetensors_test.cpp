#include "executor/data/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/executor/data/support.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(Safetensors, ReadsBackWhatItWrote) {
  const TemporaryDirectory directory;
  const std::vector<float> weights{1, 2, 3, 4, 5, 6};
  const std::vector<std::int64_t> step{17};
  const std::vector<std::uint8_t> mask{1, 0, 1};
  const std::vector<NamedArray> arrays{{"mask", ElementType::uint8, {3}, bytes_of(mask)},
                                       {"enc1/conv \"1\"", ElementType::float32, {2, 3}, bytes_of(weights)},
                                       {"step", ElementType::int64, {}, bytes_of(step)},
                                       {"empty", ElementType::float32, {0, 4}, {}}};
  write_safetensors(directory / "a.safetensors", arrays, {{"step", "17"}});

  const SafetensorsFile file(directory / "a.safetensors");
  ASSERT_EQ(file.arrays().size(), 4U);
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("step", "17")));
  for (const NamedArray& array : arrays) {
    const NamedArray* found = file.find(array.name);
    ASSERT_NE(found, nullptr) << array.name;
    EXPECT_EQ(found->type, array.type);
    EXPECT_EQ(found->extents, array.extents);
    EXPECT_EQ(numbers<char>(found->bytes), numbers<char>(array.bytes));
  }
  EXPECT_EQ(file.find("none"), nullptr);
}

TEST(Safetensors, AlignsEachArrayToItsElements) {
  const TemporaryDirectory directory;
  const std::vector<std::uint8_t> odd{1, 2, 3};
  const std::vector<float> four{1};
  const std::vector<std::int64_t> eight{1};
  write_safetensors(directory / "a",
                    std::vector<NamedArray>{{"odd", ElementType::uint8, {3}, bytes_of(odd)},
                                            {"four", ElementType::float32, {1}, bytes_of(four)},
                                            {"eight", ElementType::int64, {1}, bytes_of(eight)}},
                    {});
  const SafetensorsFile file(directory / "a");
  // A mapping starts at a page, so an address shows the offset in the file.
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.find("eight")->bytes.data()) % 8, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.find("four")->bytes.data()) % 4, 0U);
}

TEST(Safetensors, KeepsItsBytesWhenMoved) {
  const TemporaryDirectory directory;
  const std::vector<float> values{1, 2};
  write_safetensors(directory / "a", std::vector<NamedArray>{{"x", ElementType::float32, {2}, bytes_of(values)}}, {});
  SafetensorsFile file(directory / "a");
  const SafetensorsFile moved(std::move(file));
  EXPECT_EQ(numbers<float>(moved.find("x")->bytes), values);
}

TEST(Safetensors, WritesTheFormatsOwnLayout) {
  const TemporaryDirectory directory;
  const std::vector<float> values{1};
  write_safetensors(directory / "a", std::vector<NamedArray>{{"x", ElementType::float32, {1}, bytes_of(values)}}, {});
  const std::string header = R"({"x":{"data_offsets":[0,4],"dtype":"F32","shape":[1]}})";
  ASSERT_EQ(header.size(), 54U);  // and padded with two blanks to 56, '8' in ASCII
  EXPECT_EQ(content_of(directory / "a"),
            std::string("8\0\0\0\0\0\0\0", 8) + header + "  " + std::string("\0\0\x80\x3f", 4));
}

}  // namespace
}  // namespace spillway
