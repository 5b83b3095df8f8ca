#include "executor/data/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>

#include "tests/executor/data/support.h"

namespace spillway {
namespace {

using testing::ElementsAre;

constexpr std::array kFloat{ElementType::float32};
constexpr std::array kLabels{ElementType::int64, ElementType::int32, ElementType::uint8};

TEST(Npy, ReadsBackWhatItWrote) {
  const TemporaryDirectory directory;
  const std::vector<float> values{1, 2.5F, -3, 4, 5, 6};
  write_npy(directory / "a.npy", ElementType::float32, {2, 3}, bytes_of(values));
  const NpyArray array(directory / "a.npy", kFloat);
  EXPECT_EQ(array.type(), ElementType::float32);
  EXPECT_THAT(array.extents(), ElementsAre(2, 3));
  EXPECT_EQ(numbers<float>(array.bytes()), values);
}

TEST(Npy, WritesItsElementsAtAMultipleOf64Bytes) {
  const TemporaryDirectory directory;
  for (std::int64_t length = 1; length < 300; length += 7) {
    const std::vector<std::uint8_t> values(static_cast<std::size_t>(length), 7);
    write_npy(directory / "a.npy", ElementType::uint8, {length}, bytes_of(values));
    EXPECT_EQ((content_of(directory / "a.npy").size() - values.size()) % 64, 0U) << length;
  }
}

TEST(Npy, ReadsVersions2And3AndAScalar) {
  const TemporaryDirectory directory;
  for (const char version : {'\x02', '\x03'}) {
    const std::string header = "{\"shape\": (), 'fortran_order': False, 'descr': '<i8'}\n";
    std::string text =
        std::string("\x93NUMPY") + version + '\0' + static_cast<char>(header.size()) + std::string(3, '\0') + header;
    text += std::string("\x05\0\0\0\0\0\0\0", 8);
    write_text(directory / "a.npy", text);
    const NpyArray array(directory / "a.npy", kLabels);
    EXPECT_THAT(array.extents(), ElementsAre());
    EXPECT_THAT(numbers<std::int64_t>(array.bytes()), ElementsAre(5));
  }
}

TEST(Npy, ReadsAnEmptyArray) {
  const TemporaryDirectory directory;
  write_npy(directory / "a.npy", ElementType::int32, {0, 5}, {});
  EXPECT_THAT(NpyArray(directory / "a.npy", kLabels).extents(), ElementsAre(0, 5));
}

TEST(Npy, ShowsAShapeAsPythonDoes) {
  EXPECT_EQ(shape_text({}), "()");
  EXPECT_EQ(shape_text({5}), "(5,)");
  EXPECT_EQ(shape_text({1, 96}), "(1, 96)");
}

}  // namespace
}  // namespace spillway
