#include "cli/sweep_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/io/points_text.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;

/// FILE.rank1, FILE.rank2, ... that there are.
std::vector<std::string> files_of_ranks(const std::string& path) {
  const fs::path file(path);
  const std::string start = file.filename().string() + ".rank";
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool numbered = name.starts_with(start) && name.size() > start.size() &&
                          name.find_first_not_of("0123456789", start.size()) == std::string::npos;
    if (numbered) files.push_back((file.parent_path() / name).string());
  }
  std::ranges::sort(files);
  return files;
}

std::string lines_of(const std::vector<SweepPoint>& points) {
  std::string lines;
  for (const SweepPoint& point : points) lines += point_line(point);
  return lines;
}

}  // namespace

SweepStore::SweepStore(std::optional<std::string> path, const std::string& trace_sha256, Communicator* communicator)
    : communicator_(communicator), trace_sha256_(trace_sha256) {
  if (path && is_first()) {
    open(*path, trace_sha256);
    take_over_files_of_ranks();
  }
  if (!communicator_) return;
  communicator_->barrier();
  if (path && !is_first()) open(fmt::format("{}.rank{}", *path, communicator_->rank()), trace_sha256);
  const std::vector<std::string> all = communicator_->all_gather(lines_of(found_));
  found_.clear();
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    for (SweepPoint& point : points_from_lines(all[rank], fmt::format("points of rank {}", rank))) {
      if (rank > 0 && is_first() && file_) file_->append(point);
      found_.push_back(std::move(point));
    }
  }
}

void SweepStore::open(const std::string& path, const std::string& trace_sha256) {
  file_ = std::make_unique<PointsFile>(path, trace_sha256);
  found_ = file_->found();
  if (file_->was_torn()) torn_.push_back(path);
}

void SweepStore::take_over_files_of_ranks() {
  for (const std::string& path : files_of_ranks(file_->path())) {
    const PointsFile other(path, trace_sha256_);
    if (other.was_torn()) torn_.push_back(path);
    for (const SweepPoint& point : other.found()) {
      if (std::ranges::find(found_, point) != found_.end()) continue;
      file_->append(point);
      found_.push_back(point);
    }
    file_->sync();
    fs::remove(path);
  }
}

void SweepStore::add(const SweepPoint& point) {
  if (file_) file_->append(point);
  added_.push_back(point);
}

std::vector<SweepPoint> SweepStore::gather() {
  if (!communicator_) return added_;
  std::vector<SweepPoint> gathered;
  const std::vector<std::string> all = communicator_->all_gather(lines_of(added_));
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    for (SweepPoint& point : points_from_lines(all[rank], fmt::format("points of rank {}", rank))) {
      if (rank > 0 && is_first() && file_) file_->append(point);
      gathered.push_back(std::move(point));
    }
  }
  if (is_first() && file_) file_->sync();
  communicator_->barrier();
  if (!is_first() && file_) {
    const std::string path = file_->path();
    file_.reset();
    fs::remove(path);
  }
  return gathered;
}

}  // namespace spillway
