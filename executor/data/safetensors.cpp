#include "executor/data/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <set>

#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/io/safetensors_header.h"

namespace spillway {
namespace {

constexpr std::size_t kLengthBytes = 8;
// What the format's own reader accepts.
constexpr std::uint64_t kLongestHeader = 100'000'000;

static_assert(std::endian::native == std::endian::little,
              "arrays are written as they lie in memory, and the format is little endian");

}  // namespace

void write_safetensors(const std::string& path, std::span<const NamedArray> arrays, const Metadata& metadata) {
  std::vector<const NamedArray*> order;
  std::set<std::string_view> names;
  for (const NamedArray& array : arrays) {
    SPILLWAY_CHECK(array.name != "__metadata__" && names.insert(array.name).second, path + ": " + array.name);
    Bytes needed = size_of(array.type);
    for (const std::int64_t extent : array.extents) needed = needed * extent;
    SPILLWAY_CHECK(static_cast<std::uint64_t>(needed.value) == array.bytes.size(), path + ": " + array.name);
    order.push_back(&array);
  }
  std::ranges::stable_sort(order, std::greater{}, [](const NamedArray* array) { return size_of(array->type); });

  SafetensorsHeader header{.entries = {}, .metadata = metadata};
  Bytes end;
  for (const NamedArray* array : order) {
    const Bytes begin = end;
    end += Bytes{static_cast<std::int64_t>(array->bytes.size())};
    header.entries.push_back({array->name, array->type, array->extents, begin, end});
  }
  const std::string text = to_json(header);
  const std::uint64_t length = text.size();
  write_file_atomically(path, [&](FileWriter& file) {
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(text);
    for (const NamedArray* array : order) file.write(array->bytes);
  });
}

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  const std::span<const std::byte> bytes = file_.bytes();
  if (bytes.size() < kLengthBytes) {
    throw input_error(path + ": found " + std::to_string(bytes.size()) +
                      " bytes, expected a safetensors file of at least 8");
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  const std::uint64_t largest = std::min<std::uint64_t>(bytes.size() - kLengthBytes, kLongestHeader);
  if (length > largest) {
    throw input_error(path + ": byte 0: found a header of " + std::to_string(length) + " bytes, expected at most " +
                      std::to_string(largest) + "; the file is cut short or no safetensors file");
  }
  const std::span<const std::byte> text = bytes.subspan(kLengthBytes, length);
  const std::span<const std::byte> data = bytes.subspan(kLengthBytes + length);
  SafetensorsHeader header = parse_safetensors_header({reinterpret_cast<const char*>(text.data()), text.size()},
                                                      {static_cast<std::int64_t>(data.size())}, path);
  metadata_ = std::move(header.metadata);
  for (SafetensorsEntry& entry : header.entries) {
    index_.emplace(entry.name, arrays_.size());
    const auto begin = static_cast<std::size_t>(entry.begin.value);
    const auto size = static_cast<std::size_t>((entry.end - entry.begin).value);
    arrays_.push_back({std::move(entry.name), entry.type, std::move(entry.extents), data.subspan(begin, size)});
  }
}

const NamedArray* SafetensorsFile::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &arrays_[found->second];
}

}  // namespace spillway
