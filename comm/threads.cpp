#include "comm/threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "comm/announcement.h"
#include "comm/pieces.h"

namespace spillway {
namespace {

/// What a rank shows to the others in a collective call. Points at the caller's memory.
struct Post {
  Announcement announcement{};
  std::span<const std::span<float>> pieces{};
  std::span<std::byte> bytes{};
  const std::string* text = nullptr;
};

/// What the communicators of one duplicate share, a post for each rank. Posts are written before the ranks meet and
/// read after, so they need no lock.
struct Group {
  explicit Group(int ranks) : posts(static_cast<std::size_t>(ranks)) {}
  std::vector<Post> posts;
  Group* duplicate = nullptr;  ///< made by rank 0
  int arrived = 0;             ///< ranks that wait in the current meeting
  std::uint64_t meetings = 0;  ///< that have ended
};

/// Why all ranks must end.
struct Failure {
  ExitCode code;
  std::string text;
};

/// Thrown at ranks that didn't fail themselves.
class Woken final : public Error {
 public:
  explicit Woken(const Failure& failure) : Error(failure.code, failure.text) {}
};

/// All ranks and all their groups.
class World {
 public:
  explicit World(int ranks) : ranks_(ranks) { groups_.emplace_back(ranks); }

  [[nodiscard]] int ranks() const { return ranks_; }
  [[nodiscard]] Group& first_group() { return groups_.front(); }
  [[nodiscard]] Group& new_group() {
    const std::lock_guard lock(mutex_);
    return groups_.emplace_back(ranks_);
  }

  /// Returns when all ranks are here. Throws when that won't happen any more.
  void meet(Group& group, int rank) {
    std::unique_lock lock(mutex_);
    const std::uint64_t meeting = group.meetings;
    const auto over = [&] { return group.meetings != meeting; };
    if (failure_) throw Woken(*failure_);
    arrive(group);
    changed_.wait(lock, [&] { return over() || failure_ || ended_; });
    if (over()) return;
    if (failure_) throw Woken(*failure_);
    throw Bug(fmt::format("rank {} waits for rank {}, which has ended", rank, *ended_));
  }

  /// Returns when all ranks are here. Requires: every rank is sure to come, as none can throw since they last met. A
  /// failure doesn't cut this short: others still read and write this rank's memory.
  void meet_for_sure(Group& group) {
    std::unique_lock lock(mutex_);
    const std::uint64_t meeting = group.meetings;
    arrive(group);
    changed_.wait(lock, [&] { return group.meetings != meeting; });
  }

  /// The first failure counts.
  void fail(ExitCode code, const std::string& text) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = Failure{code, text};
    changed_.notify_all();
  }
  void end(int rank) {
    const std::lock_guard lock(mutex_);
    if (!ended_) ended_ = rank;
    changed_.notify_all();
  }
  /// Requires: all ranks have ended.
  [[nodiscard]] const std::optional<Failure>& failure() const { return failure_; }

 private:
  int ranks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Group> groups_;  // addresses stay
  std::optional<Failure> failure_;
  std::optional<int> ended_;  ///< a rank whose body has returned

  void arrive(Group& group) {
    if (++group.arrived < ranks_) return;
    group.arrived = 0;
    ++group.meetings;
    changed_.notify_all();
  }
};

/// Sums `count` floats that each rank has at its address, in rank order, into all of them.
void sum_into_all(std::span<float* const> by_rank, std::size_t count, float scale) {
  std::array<float, 4096> sums;  // 16 KiB: stays in the first-level cache
  for (std::size_t first = 0; first < count; first += sums.size()) {
    const std::size_t length = std::min(sums.size(), count - first);
    std::copy_n(by_rank[0] + first, length, sums.data());
    for (const float* const others : by_rank.subspan(1)) {
      for (std::size_t i = 0; i < length; ++i) sums[i] += others[first + i];
    }
    for (std::size_t i = 0; i < length; ++i) sums[i] *= scale;
    for (float* const rank : by_rank) std::copy_n(sums.data(), length, rank + first);
  }
}

class ThreadRank final : public Communicator {
 public:
  ThreadRank(World& world, Group& group, int rank) : world_(world), group_(group), rank_(rank) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return world_.ranks(); }

  void all_reduce_sum(std::span<const std::span<float>> pieces, float scale) override {
    const Pieces whole(pieces);
    std::vector<float*> by_rank(group_.posts.size());
    together({.announcement = announce_all_reduce_sum(pieces, scale), .pieces = pieces}, [&]() noexcept {
      // Rank r sums the r-th part of every rank's floats; nobody else touches that part.
      const auto rank = static_cast<std::size_t>(rank_), ranks = by_rank.size();
      const std::size_t first = whole.floats() * rank / ranks, last = whole.floats() * (rank + 1) / ranks;
      whole.for_each_run(first, last - first, [&](const Pieces::Run& run) {
        for (std::size_t r = 0; r < ranks; ++r) by_rank[r] = group_.posts[r].pieces[run.piece].data() + run.first;
        sum_into_all(by_rank, run.count, scale);
      });
    });
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    SPILLWAY_CHECK(root >= 0 && root < size(), fmt::format("a broadcast from rank {} of {}", root, size()));
    together({.announcement = announce_broadcast(bytes.size(), root), .bytes = bytes}, [&]() noexcept {
      const std::span<std::byte> from = group_.posts[static_cast<std::size_t>(root)].bytes;
      if (rank_ != root) std::copy(from.begin(), from.end(), bytes.begin());
    });
  }

  [[nodiscard]] std::vector<std::string> all_gather(const std::string& text) override {
    std::vector<std::string> texts;
    const Announcement announcement{.call = Announcement::Call::all_gather, .size = text.size()};
    std::exception_ptr no_memory;
    together({.announcement = announcement, .text = &text}, [&]() noexcept {
      try {
        for (const Post& post : group_.posts) texts.push_back(*post.text);
      } catch (...) {
        no_memory = std::current_exception();
      }
    });
    if (no_memory) std::rethrow_exception(no_memory);
    return texts;
  }

  void barrier() override {
    together({.announcement = {.call = Announcement::Call::barrier}}, []() noexcept {});
  }

  [[nodiscard]] std::unique_ptr<Communicator> duplicate() override {
    if (rank_ == 0) group_.duplicate = &world_.new_group();
    Group* group = nullptr;
    together({.announcement = {.call = Announcement::Call::duplicate}}, [&]() noexcept { group = group_.duplicate; });
    return std::make_unique<ThreadRank>(world_, *group, rank_);
  }

  void abort(ExitCode code) override {
    world_.fail(code, fmt::format("rank {} ended all ranks with exit code {}", rank_, static_cast<int>(code)));
  }

  [[nodiscard]] Bytes staging_bytes() const override { return {}; }

 private:
  World& world_;
  Group& group_;
  int rank_;

  /// Shows `post` to the others and runs `act` when all have shown theirs and they are alike. Returns, or throws, when
  /// all have acted: before that they use each other's memory.
  template <typename Act>
  void together(const Post& post, Act act) {
    static_assert(noexcept(act()), "a rank that left here would take its memory away from the others");
    std::vector<Announcement> by_rank(group_.posts.size());
    group_.posts[static_cast<std::size_t>(rank_)] = post;
    world_.meet(group_, rank_);
    std::ranges::transform(group_.posts, by_rank.begin(), &Post::announcement);
    const bool alike = all_alike(by_rank);
    if (alike) act();
    world_.meet_for_sure(group_);
    if (!alike) throw AgreedError(difference(by_rank));
  }
};

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  SPILLWAY_CHECK(ranks >= 1, fmt::format("{} ranks", ranks));
  World world(ranks);
  std::vector<std::exception_ptr> thrown(static_cast<std::size_t>(ranks));

  const auto run_one = [&](int rank) {
    const auto fail = [&](ExitCode code, const char* text) {
      thrown[static_cast<std::size_t>(rank)] = std::current_exception();
      world.fail(code, fmt::format("rank {} failed: {}", rank, text));
    };
    try {
      ThreadRank communicator(world, world.first_group(), rank);
      body(communicator);
      world.end(rank);
    } catch (const Woken&) {
      // Whoever failed is reported.
    } catch (const Error& error) {
      fail(error.code(), error.what());
    } catch (const std::bad_alloc&) {
      fail(ExitCode::machine, "out of host memory");
    } catch (const std::exception& error) {
      fail(ExitCode::bug, error.what());
    } catch (...) {
      fail(ExitCode::bug, "it threw what isn't an exception");
    }
  };
  {
    std::vector<std::jthread> threads;
    try {
      for (int rank = 0; rank < ranks; ++rank) threads.emplace_back(run_one, rank);
    } catch (const std::system_error& error) {
      world.fail(ExitCode::machine, fmt::format("can't start {} threads: {}", ranks, error.what()));
    }
  }
  for (const std::exception_ptr& exception : thrown) {
    if (exception) std::rethrow_exception(exception);
  }
  if (world.failure()) throw Error(world.failure()->code, world.failure()->text);
}

}  // namespace spillway
