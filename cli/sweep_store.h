#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "core/io/points_file.h"

namespace spillway {

/// The finished points of a sweep, over all ranks and, where there is a file, over all its runs.
///
/// Rank 0 keeps its points in FILE, rank r in FILE.rank<r>. What such files an interrupted run left is moved into FILE
/// by the next one, however many ranks that has, so that nothing is lost whenever a run ends. A rank that doesn't see
/// FILE's folder keeps its own file in its own.
class SweepStore {
 public:
  /// Collective. `communicator` null: one rank. Throws Error as PointsFile.
  SweepStore(std::optional<std::string> path, const std::string& trace_sha256, Communicator* communicator);

  /// What earlier runs found: the same on every rank.
  [[nodiscard]] const std::vector<SweepPoint>& found() const { return found_; }
  /// Files whose last line was torn.
  [[nodiscard]] const std::vector<std::string>& torn() const { return torn_; }

  /// Keeps a point that this rank has finished.
  void add(const SweepPoint& point);
  /// Collective. What all ranks have added, and then in FILE. Call it once, at the end.
  [[nodiscard]] std::vector<SweepPoint> gather();

 private:
  [[nodiscard]] bool is_first() const { return !communicator_ || communicator_->rank() == 0; }
  void open(const std::string& path, const std::string& trace_sha256);
  void take_over_files_of_ranks();

  Communicator* communicator_;
  std::string trace_sha256_;
  std::unique_ptr<PointsFile> file_;  ///< null: nothing is kept
  std::vector<SweepPoint> found_, added_;
  std::vector<std::string> torn_;
};

}  // namespace spillway
