#include "core/io/points_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/io/json_node.h"
#include "core/io/points_text.h"
#include "core/version.h"

namespace spillway {
namespace {

constexpr const char* kFormat = "spillway-points";

std::string heading(const std::string& trace_sha256) {
  const OrderedJson json{{"format", kFormat}, {"version", 1}, {"spillway", kVersion}, {"trace_sha256", trace_sha256}};
  return json.dump() + '\n';
}

void expect_heading(const std::string& line, const std::string& path, const std::string& trace_sha256) {
  const OrderedJson json = OrderedJson::parse(line, nullptr, false);
  if (format_of(json) != kFormat) throw input_error(fmt::format("{}: isn't a file of a sweep's points", path));
  const JsonNode node(path, json);
  expect_format(node, kFormat);
  node.only({"format", "version", "spillway", "trace_sha256"});
  if (const std::string version = node.at("spillway").string(); version != kVersion) {
    throw input_error(
        fmt::format("{}: its points are from Spillway {}, this is {}; begin another file", path, version, kVersion));
  }
  if (node.at("trace_sha256").string() != trace_sha256)
    throw input_error(path + ": its points are of another trace, or the trace has changed; begin another file");
}

bool is_json(const std::string& line) {
  return OrderedJson::accept(line);
}

}  // namespace

PointsFile::PointsFile(const std::string& path, const std::string& trace_sha256) : path_(path) {
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) throw machine_error(fmt::format("{}: can't be opened: {}", path, std::strerror(errno)));
  try {
    struct stat status {};
    if (::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode))
      throw input_error(path + ": isn't a regular file, expected one to keep points in");
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0)
      throw machine_error(path + ": another sweep is writing to it; wait for that one or name another file");
    read(trace_sha256);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

PointsFile::~PointsFile() {
  ::close(file_);
}

void PointsFile::read(const std::string& trace_sha256) {
  const std::string text = read_text(path_);
  const std::string expected = heading(trace_sha256);
  const std::size_t first_end = text.find('\n');
  std::size_t good = text.size();  // bytes that stay
  if (first_end == std::string::npos) {
    // Only a heading of ours that was being written is thrown away; what else it is belongs to somebody.
    if (!expected.starts_with(text)) throw input_error(fmt::format("{}: isn't a file of a sweep's points", path_));
    good = 0;
  } else {
    expect_heading(text.substr(0, first_end), path_, trace_sha256);
    good = text.rfind('\n') + 1;
    const std::size_t last = text.rfind('\n', good - 2);  // a lost write may leave a line of zeros, too
    if (last != std::string::npos && last >= first_end && !is_json(text.substr(last + 1, good - last - 2)))
      good = last + 1;
    found_ = points_from_lines(text.substr(first_end + 1, good - first_end - 1), path_, 2);
  }
  torn_ = good < text.size();
  if (torn_ && ::ftruncate(file_, static_cast<off_t>(good)) != 0)
    throw machine_error(fmt::format("{}: can't be cut: {}", path_, std::strerror(errno)));
  if (good == 0) write(expected);
}

void PointsFile::write(const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(file_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw machine_error(fmt::format("{}: can't be written: {}", path_, std::strerror(errno)));
    done += static_cast<std::size_t>(written);
  }
}

void PointsFile::append(const SweepPoint& point) {
  write(point_line(point));
}

void PointsFile::sync() {
  if (::fsync(file_) != 0) throw machine_error(fmt::format("{}: can't be written: {}", path_, std::strerror(errno)));
}

}  // namespace spillway
