#pragma once

#include <string>
#include <vector>

#include "core/sweep_point.h"

namespace spillway {

/// The finished points of a sweep, on disk as soon as they are known: a line that says which trace and which version
/// of Spillway, then one line of JSON a point. Held by one process at a time.
class PointsFile {
 public:
  /// Opens the file, or begins one where there is none. A last line that was being written when its process ended is
  /// taken off.
  ///
  /// Throws Error: exit 2 when the file isn't of this trace and version, or a line before the last can't be read;
  /// exit 3 when it can't be opened or another process holds it.
  PointsFile(const std::string& path, const std::string& trace_sha256);
  PointsFile(const PointsFile&) = delete;
  PointsFile& operator=(const PointsFile&) = delete;
  ~PointsFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// The points that it held when it was opened, as they stand there.
  [[nodiscard]] const std::vector<SweepPoint>& found() const { return found_; }
  /// A torn last line was taken off.
  [[nodiscard]] bool was_torn() const { return torn_; }

  /// Adds a point, in one write to the end. Requires: it has its answer. Throws Error (exit 3) when the machine
  /// refuses; the file is then as good as before, but for a torn line.
  void append(const SweepPoint& point);
  /// Returns when all points are on the disk.
  void sync();

 private:
  void read(const std::string& trace_sha256);
  void write(const std::string& text);

  std::string path_;
  int file_ = -1;
  bool torn_ = false;
  std::vector<SweepPoint> found_;
};

}  // namespace spillway
