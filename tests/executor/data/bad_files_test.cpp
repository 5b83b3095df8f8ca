#include <gtest/gtest.h>

#include <array>

#include "executor/data/npy.h"
#include "executor/data/safetensors.h"
#include "tests/executor/data/support.h"

namespace spillway {
namespace {

struct BadFile {
  const char* name;
  std::string content;
  std::string complaint;  ///< behind the file's name
};

std::string name_of(const testing::TestParamInfo<BadFile>& info) {
  return info.param.name;
}

/// A version 1 file with this header and so many bytes of zeros.
std::string npy(const std::string& header, std::size_t elements_bytes = 24) {
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header +
         std::string(elements_bytes, '\0');
}

class BadNpy : public testing::TestWithParam<BadFile> {};

TEST_P(BadNpy, IsRefusedInOneLine) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.npy";
  write_text(path, GetParam().content);
  constexpr std::array accepted{ElementType::float32, ElementType::uint8};
  EXPECT_EQ(complaint(path, ExitCode::input, [&] { NpyArray(path, accepted); }), GetParam().complaint);
}

const std::string kGood = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";

INSTANTIATE_TEST_SUITE_P(
    Files, BadNpy,
    testing::Values(
        BadFile{"Empty", "", ": byte 0: found no NumPy magic, expected a NumPy array as numpy.save writes it"},
        BadFile{"Text", "hello, world",
                ": byte 0: found no NumPy magic, expected a NumPy array as numpy.save writes it"},
        BadFile{"OnlyMagic", "\x93NUMPY\x01", ": found 7 bytes, expected a NumPy array as numpy.save writes it"},
        BadFile{"Version4", std::string("\x93NUMPY\x04\0\0\0\0\0", 12),
                ": byte 6: found format version 4, expected 1, 2 or 3"},
        BadFile{
            "HeaderCutShort", npy(kGood).substr(0, 50),
            ": byte 8: found a header of 60 bytes, expected at most 40, the rest of the file; the file is cut short"},
        BadFile{"Double", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"),
                ": found dtype '<f8', expected '<f4' or '|u1'; save array.astype('<f4')"},
        BadFile{"BigEndian", npy("{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }"),
                ": found dtype '>f4', expected '<f4' or '|u1'; save array.astype('<f4')"},
        BadFile{"Fields", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }"),
                ": byte 20: found a dtype of several fields, expected one number per element; save each field as an "
                "array of its own"},
        BadFile{"Fortran", npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }"),
                ": byte 44: found Fortran order, expected C order; save numpy.ascontiguousarray(array)"},
        BadFile{"NoOrder", npy("{'descr': '<f4', 'shape': (6,)}"),
                ": byte 41: found no key 'fortran_order', expected descr, fortran_order and shape"},
        BadFile{"KeyTwice", npy("{'descr': '<f4', 'descr': '<f4'}"),
                ": byte 27: found 'descr' twice, expected each key once"},
        BadFile{"UnknownKey", npy("{'order': 3}"),
                ": byte 11: found the key 'order', expected descr, fortran_order and shape"},
        BadFile{"NegativeExtent", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"),
                ": byte 61: found '-', expected an extent, 0 or above"},
        BadFile{"HugeExtent", npy("{'shape': (99999999999999999999,)}"),
                ": byte 21: found an extent beyond 64 bits, expected a smaller one"},
        BadFile{
            "OverflowingShape", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}"),
            ": found 24 bytes of elements, expected 2^63 or more for dtype '<f4' and shape (4611686018427387904, 4)"},
        BadFile{"NoDictionary", npy("[1]"), ": byte 10: found '[', expected '{'"},
        BadFile{"HeaderEndsEarly", npy("{'descr'"), ": byte 18: found the header's end, expected ':'"},
        BadFile{"TextBehindTheHeader", npy(kGood + "x"), ": byte 70: found 'x', expected the end of the header"},
        BadFile{"ElementsCutShort", npy(kGood, 23),
                ": found 23 bytes of elements, expected 24 for dtype '<f4' and shape (2, 3)"},
        BadFile{"ElementsTooMany", npy(kGood, 28),
                ": found 28 bytes of elements, expected 24 for dtype '<f4' and shape (2, 3)"}),
    name_of);

/// A file with this header and so many bytes of zeros.
std::string safetensors(const std::string& header, std::size_t data_bytes = 8) {
  return static_cast<char>(header.size()) + std::string(7, '\0') + header + std::string(data_bytes, '\0');
}

class BadSafetensors : public testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedInOneLine) {
  const TemporaryDirectory directory;
  const std::string path = directory / "a.safetensors";
  write_text(path, GetParam().content);
  EXPECT_EQ(complaint(path, ExitCode::input, [&] { SafetensorsFile file(path); }), GetParam().complaint);
}

INSTANTIATE_TEST_SUITE_P(
    Files, BadSafetensors,
    testing::Values(
        BadFile{"Empty", "", ": found 0 bytes, expected a safetensors file of at least 8"},
        BadFile{
            "HeaderBeyondTheFile", std::string("\x40\0\0\0\0\0\0\0{}", 10),
            ": byte 0: found a header of 64 bytes, expected at most 2; the file is cut short or no safetensors file"},
        BadFile{"HugeHeader", std::string(8, '\xff') + "{}",
                ": byte 0: found a header of 18446744073709551615 bytes, expected at most 2; the file is cut short or "
                "no safetensors file"},
        BadFile{"NoObject", safetensors("[]", 0), ": header: found no '{' at its first byte, expected a JSON object"},
        BadFile{"NoJson", safetensors("{\"a\":}", 0), ": header: found no JSON at byte 6, expected a JSON object"},
        BadFile{"NumberTooLarge", safetensors("{\"a\":1e999}", 0),
                ": header: found a number too large to represent, expected whole numbers, 0 or above"},
        BadFile{"NameTwice", safetensors(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{}})"),
                ": header: found the name \"a\" twice, expected each name once"},
        BadFile{"UnknownType", safetensors(R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})"),
                R"(: /a/dtype: found "F16", expected "F32", "I32", "I64" or "U8")"},
        BadFile{"NoOffsets", safetensors(R"({"a":{"dtype":"F32","shape":[2]}})"),
                ": /a/data_offsets: found nothing, expected dtype, shape and data_offsets for each array"},
        BadFile{"UnknownKey", safetensors(R"({"a/b":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}})"),
                ": /a~1b/x: found this key, expected only dtype, shape and data_offsets"},
        BadFile{"NegativeExtent", safetensors(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})"),
                ": /a/shape/0: found -2, expected a whole number, 0 or above"},
        BadFile{
            "OffsetsBeyondTheData", safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})"),
            ": /a/data_offsets: found [0,12], expected two ascending offsets up to 8, the bytes of data in the file"},
        BadFile{
            "OffsetsDescend", safetensors(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})"),
            ": /a/data_offsets: found [8,4], expected two ascending offsets up to 8, the bytes of data in the file"},
        BadFile{"OffsetsDontFitTheShape", safetensors(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})"),
                ": /a/data_offsets: found 8 bytes, expected 12 for this dtype and shape"},
        BadFile{"OverflowingShape",
                safetensors(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})"),
                ": /a/shape: found more elements than any file has, expected fewer"},
        BadFile{
            "Overlap",
            safetensors(
                R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})"),
            ": /b/data_offsets: found a begin of 4 inside another array, expected 5, where the array before it ends"},
        BadFile{
            "Hole",
            safetensors(
                R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})"),
            ": /b/data_offsets: found a begin of 4 behind a hole, expected 3, where the array before it ends"},
        BadFile{"TextBehindTheData", safetensors(R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})"),
                ": header: found 8 bytes of data, expected 3, where the last array ends"},
        BadFile{"MetadataOfNumbers", safetensors(R"({"__metadata__":{"step":3}})", 0),
                ": /__metadata__/step: found 3, expected a text"}),
    name_of);

TEST(BadFiles, AMissingFileIsNamed) {
  EXPECT_EQ(complaint("none.safetensors", ExitCode::input, [] { SafetensorsFile file("none.safetensors"); }),
            ": can't be read: No such file or directory");
}

TEST(BadFiles, ADirectoryIsNoFile) {
  const TemporaryDirectory directory;
  EXPECT_EQ(complaint(directory.path(), ExitCode::input, [&] { SafetensorsFile file(directory.path()); }),
            ": can't be read: found no regular file, expected one");
}

}  // namespace
}  // namespace spillway
