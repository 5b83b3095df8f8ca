#include "executor/data/npy_header.h"

#include <charconv>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>

#include "core/error.h"

namespace spillway {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

/// Reads the literal of a Python dictionary that the format prescribes: {'descr': '<f4', 'fortran_order': False,
/// 'shape': (3, 4), }
class Literal {
 public:
  Literal(std::string_view text, std::size_t begin, const std::string& file)
      : text_(text), begin_(begin), file_(file) {}

  NpyHeader read() {
    NpyHeader header;
    std::set<std::string> keys;
    expect('{');
    while (!accept('}')) {
      const std::size_t at = at_;
      const std::string key = text();
      if (!keys.insert(key).second) refuse(at, "'" + key + "' twice", "each key once");
      expect(':');
      if (key == "descr") {
        header.dtype = dtype();
      } else if (key == "fortran_order") {
        order();
      } else if (key == "shape") {
        header.extents = shape();
      } else {
        refuse(at, "the key '" + key + "'", "descr, fortran_order and shape");
      }
      if (!accept(',') && peek() != '}') refuse(at_, found(), "',' or '}'");
    }
    for (const char* key : {"descr", "fortran_order", "shape"}) {
      if (!keys.contains(key)) refuse(at_, "no key '" + std::string(key) + "'", "descr, fortran_order and shape");
    }
    skip_blanks();
    if (at_ != text_.size()) refuse(at_, found(), "the end of the header");
    return header;
  }

 private:
  [[noreturn]] void refuse(std::size_t at, const std::string& what, const std::string& expected) const {
    throw input_error(file_ + ": byte " + std::to_string(begin_ + at) + ": found " + what + ", expected " + expected);
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  std::string found() {
    const char next = peek();
    if (at_ >= text_.size()) return "the header's end";
    if (next < ' ' || next > '~') return "byte value " + std::to_string(static_cast<unsigned char>(next));
    return std::string("'") + next + "'";
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) refuse(at_, found(), std::string("'") + c + "'");
  }
  bool accept_word(std::string_view word) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string text() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') refuse(at_, found(), "a quoted text");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) refuse(at_, "a text without end", "a closing quote");
    std::string result(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return result;
  }
  std::string dtype() {
    if (peek() == '[')
      refuse(at_, "a dtype of several fields", "one number per element; save each field as an array of its own");
    return text();
  }
  void order() {
    if (accept_word("False")) return;
    const std::size_t at = at_;
    if (accept_word("True")) refuse(at, "Fortran order", "C order; save numpy.ascontiguousarray(array)");
    refuse(at, found(), "True or False");
  }
  Extents shape() {
    Extents extents;
    expect('(');
    while (!accept(')')) {
      if (peek() < '0' || peek() > '9') refuse(at_, found(), "an extent, 0 or above");
      std::int64_t extent = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), extent);
      if (error != std::errc()) refuse(at_, "an extent beyond 64 bits", "a smaller one");
      at_ = static_cast<std::size_t>(end - text_.data());
      accept('L');  // Python 2 wrote long integers so
      extents.push_back(extent);
      if (!accept(',') && peek() != ')') refuse(at_, found(), "',' or ')'");
    }
    return extents;
  }

  std::string_view text_;
  std::size_t begin_;
  const std::string& file_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(std::span<const std::byte> bytes, const std::string& file) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto number = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(text[at])); };
  const std::string expected = ", expected a NumPy array as numpy.save writes it";
  if (!text.starts_with(kMagic)) throw input_error(file + ": byte 0: found no NumPy magic" + expected);
  if (text.size() < 12) throw input_error(file + ": found " + std::to_string(text.size()) + " bytes" + expected);
  const std::size_t version = number(6);
  if (version < 1 || version > 3) {
    throw input_error(file + ": byte 6: found format version " + std::to_string(version) + ", expected 1, 2 or 3");
  }
  std::size_t length = number(8) | number(9) << 8;
  if (version > 1) length |= number(10) << 16 | number(11) << 24;
  const std::size_t begin = version == 1 ? 10 : 12;
  if (length > text.size() - begin) {
    throw input_error(file + ": byte 8: found a header of " + std::to_string(length) + " bytes, expected at most " +
                      std::to_string(text.size() - begin) + ", the rest of the file; the file is cut short");
  }
  NpyHeader header = Literal(text.substr(begin, length), begin, file).read();
  header.data_begin = begin + length;
  return header;
}

}  // namespace spillway
