#include "comm/mpi.h"

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <string_view>
#include <thread>

#include "comm/announcement.h"
#include "comm/pieces.h"

namespace spillway {
namespace {

constexpr std::size_t kChunk = 64 * 1024;    ///< floats in a message, 256 KiB
constexpr std::size_t kLanes = 8;            ///< messages under way in each direction
constexpr std::size_t kLargest = 1UL << 30;  ///< bytes in one call: MPI 3.1 counts in ints
constexpr int kUpwards = 1, kDownwards = 2;  ///< tags

/// Throws with what failed, where.
void check_mpi(int code, const char* call, int rank) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw machine_error(fmt::format("MPI: {} on rank {}: {}", call, rank,
                                  std::string_view(text.data(), static_cast<std::size_t>(length))));
}

/// Waits without keeping a core busy. MPI's own waits poll at full speed, which takes the core from the thread that
/// computes: beside 16 MiB sums every 0.1 s, 2 ranks with a core each, computing took 2.0 times as long as alone, and
/// 1.3 times with these waits. The sums took as long either way (64 MiB: 26 ms).
class Patience {
 public:
  void succeeded() { failures_ = 0; }
  void wait() {
    if (++failures_ > kPolls) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }

 private:
  static constexpr int kPolls = 400;  // some 100 us: what comes within them isn't worth a sleep
  int failures_ = 0;
};

void wait_for(std::vector<MPI_Request>& requests, const char* call, int rank) {
  Patience patience;
  while (true) {
    int completed = 0;
    check_mpi(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &completed, MPI_STATUSES_IGNORE), call,
              rank);
    if (completed != 0) return;
    patience.wait();
  }
}

/// One rank's part in one all-reduce. Partial sums go up the ranks, each adding its own floats to what comes from
/// below, which is rank order; the last rank scales, and the sums come down again. The whole is cut into chunks that
/// follow each other, so that all ranks are busy in both directions. As partial sums aren't regrouped, this moves as
/// little between nodes as a hierarchy of reductions would, with the bits of a plain loop.
class Chain {
 public:
  Chain(MPI_Comm comm, int rank, int size, const Pieces& pieces, float scale, std::span<float> staging)
      : comm_(comm),
        rank_(rank),
        last_(rank == size - 1),
        pieces_(pieces),
        scale_(scale),
        chunks_((pieces.floats() + kChunk - 1) / kChunk),
        up_(staging.first(kLanes * kChunk)),
        down_(staging.last(kLanes * kChunk)) {}

  /// Returns when this rank has the sums and has passed on what others need of it.
  void run() {
    Patience patience;
    while (down_.completed < chunks_) {
      if (advance()) {
        patience.succeeded();
      } else {
        patience.wait();
      }
    }
  }

 private:
  /// Chunks that move in one direction, one lane each; of the lanes, each counts how many chunks have come so far.
  struct Flow {
    explicit Flow(std::span<float> lanes) : staging(lanes) {
      in.fill(MPI_REQUEST_NULL);
      out.fill(MPI_REQUEST_NULL);
    }
    std::span<float> staging;
    std::array<MPI_Request, kLanes> in{}, out{};
    std::size_t begun = 0;      ///< being received
    std::size_t passed_on = 0;  ///< arrived, used, being sent
    std::size_t completed = 0;  ///< sent

    [[nodiscard]] bool has_lane() const { return begun < completed + kLanes; }
    [[nodiscard]] float* lane(std::size_t chunk) const { return staging.data() + chunk % kLanes * kChunk; }
  };

  MPI_Comm comm_;
  int rank_;
  bool last_;
  const Pieces& pieces_;
  float scale_;
  std::size_t chunks_;
  Flow up_, down_;

  [[nodiscard]] std::size_t floats_in(std::size_t chunk) const {
    return std::min(kChunk, pieces_.floats() - chunk * kChunk);
  }
  /// The chunk's own floats, where they need no packing.
  [[nodiscard]] float* in_place(std::size_t chunk) const {
    return pieces_.side_by_side(chunk * kChunk, floats_in(chunk));
  }
  /// Where the chunk's sums come to.
  [[nodiscard]] float* sums(std::size_t chunk) const {
    float* const own = in_place(chunk);
    return own != nullptr ? own : down_.lane(chunk);
  }

  /// Does what can be done now, and says whether that was anything.
  bool advance() {
    bool advanced = false;
    const auto count = [&](std::size_t& counter) { ++counter, advanced = true; };
    while (up_.begun < chunks_ && up_.has_lane()) {
      if (rank_ > 0) receive(up_, up_.begun, up_.lane(up_.begun), rank_ - 1, kUpwards);
      count(up_.begun);
    }
    // Not before the chunk's own floats were sent: its sums may come to the same place.
    while (down_.begun < up_.completed && down_.has_lane()) {
      if (!last_) receive(down_, down_.begun, sums(down_.begun), rank_ + 1, kDownwards);
      count(down_.begun);
    }
    // The last rank writes sums, for which it needs a lane of the other flow.
    while (up_.passed_on < up_.begun && (!last_ || up_.passed_on < down_.completed + kLanes) &&
           is_over(up_.in, up_.passed_on)) {
      pass_up(up_.passed_on);
      count(up_.passed_on);
    }
    while (down_.passed_on < down_.begun && is_over(down_.in, down_.passed_on)) {
      pass_down(down_.passed_on);
      count(down_.passed_on);
    }
    for (Flow* flow : {&up_, &down_}) {
      while (flow->completed < flow->passed_on && is_over(flow->out, flow->completed)) count(flow->completed);
    }
    return advanced;
  }

  void pass_up(std::size_t chunk) {
    float* const partial = up_.lane(chunk);
    if (last_) {
      float* const to = sums(chunk);
      for_own_floats(chunk, [&](std::span<float> own, std::size_t at) {
        for (std::size_t i = 0; i < own.size(); ++i) to[at + i] = (partial[at + i] + own[i]) * scale_;
      });
    } else if (rank_ > 0) {
      for_own_floats(chunk, [&](std::span<float> own, std::size_t at) {
        for (std::size_t i = 0; i < own.size(); ++i) partial[at + i] += own[i];
      });
      send(up_, chunk, partial, rank_ + 1, kUpwards);
    } else if (float* const own = in_place(chunk)) {
      send(up_, chunk, own, rank_ + 1, kUpwards);
    } else {
      for_own_floats(chunk, [&](std::span<float> floats, std::size_t at) { std::ranges::copy(floats, partial + at); });
      send(up_, chunk, partial, rank_ + 1, kUpwards);
    }
  }

  void pass_down(std::size_t chunk) {
    float* const from = sums(chunk);
    if (rank_ > 0) send(down_, chunk, from, rank_ - 1, kDownwards);
    if (in_place(chunk) != nullptr) return;
    for_own_floats(chunk,
                   [&](std::span<float> own, std::size_t at) { std::copy_n(from + at, own.size(), own.data()); });
  }

  template <typename Use>
  void for_own_floats(std::size_t chunk, Use use) const {
    pieces_.for_each_run(chunk * kChunk, floats_in(chunk),
                         [&](const Pieces::Run& run) { use(pieces_.at(run), run.position); });
  }

  void receive(Flow& flow, std::size_t chunk, float* to, int from, int tag) {
    check_mpi(MPI_Irecv(to, static_cast<int>(floats_in(chunk)), MPI_FLOAT, from, tag, comm_, &flow.in[chunk % kLanes]),
              "MPI_Irecv", rank_);
  }
  void send(Flow& flow, std::size_t chunk, const float* from, int to, int tag) {
    check_mpi(MPI_Isend(from, static_cast<int>(floats_in(chunk)), MPI_FLOAT, to, tag, comm_, &flow.out[chunk % kLanes]),
              "MPI_Isend", rank_);
  }
  [[nodiscard]] bool is_over(std::array<MPI_Request, kLanes>& requests, std::size_t chunk) const {
    int completed = 0;
    check_mpi(MPI_Test(&requests[chunk % kLanes], &completed, MPI_STATUS_IGNORE), "MPI_Test", rank_);
    return completed != 0;
  }
};

class MpiRank final : public Communicator {
 public:
  /// A duplicate of `comm`: MPI's errors come back from it instead of ending the process.
  explicit MpiRank(MPI_Comm comm) : exceptions_(std::uncaught_exceptions()) {
    check_mpi(MPI_Comm_dup(comm, &comm_), "MPI_Comm_dup", -1);
    MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
    MPI_Comm_rank(comm_, &rank_);
    MPI_Comm_size(comm_, &size_);
  }
  MpiRank(const MpiRank&) = delete;
  MpiRank& operator=(const MpiRank&) = delete;
  ~MpiRank() override {
    int over = 0;
    MPI_Finalized(&over);
    if (over == 0 && std::uncaught_exceptions() <= exceptions_) MPI_Comm_free(&comm_);
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  void all_reduce_sum(std::span<const std::span<float>> pieces, float scale) override {
    agree(announce_all_reduce_sum(pieces, scale));
    if (size_ == 1) {
      for (const std::span<float> piece : pieces) {
        for (float& value : piece) value *= scale;
      }
      return;
    }
    staging_.resize(kStaging);
    Chain(comm_, rank_, size_, Pieces(pieces), scale, staging_).run();
  }

  void broadcast(std::span<std::byte> bytes, int root) override {
    SPILLWAY_CHECK(root >= 0 && root < size_, fmt::format("a broadcast from rank {} of {}", root, size_));
    agree(announce_broadcast(bytes.size(), root));
    std::vector<MPI_Request> requests;
    start_broadcast(bytes, root, requests);
    wait_for(requests, "MPI_Ibcast", rank_);
  }

  [[nodiscard]] std::vector<std::string> all_gather(const std::string& text) override {
    std::vector<std::string> texts;
    for (const Announcement& each : agree({.call = Announcement::Call::all_gather, .size = text.size()}))
      texts.emplace_back(each.size, '\0');
    texts[static_cast<std::size_t>(rank_)] = text;
    std::vector<MPI_Request> requests;
    for (int root = 0; root < size_; ++root)
      start_broadcast(std::as_writable_bytes(std::span(texts[static_cast<std::size_t>(root)])), root, requests);
    wait_for(requests, "MPI_Ibcast", rank_);
    return texts;
  }

  void barrier() override { agree({.call = Announcement::Call::barrier}); }

  [[nodiscard]] std::unique_ptr<Communicator> duplicate() override {
    agree({.call = Announcement::Call::duplicate});
    return std::make_unique<MpiRank>(comm_);
  }

  void abort(ExitCode code) override { MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code)); }

  [[nodiscard]] Bytes staging_bytes() const override {
    return {size_ == 1 ? 0 : static_cast<std::int64_t>(kStaging * sizeof(float))};
  }

 private:
  static constexpr std::size_t kStaging = 2 * kLanes * kChunk;

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  int exceptions_;
  std::vector<float> staging_;

  /// Every rank's announcement, by rank, once all have made theirs. Every call begins with this, known sizes or not:
  /// a rank that skipped it because it knew its own would meet one that doesn't.
  std::vector<Announcement> agree(const Announcement& own) {
    std::vector<Announcement> by_rank(static_cast<std::size_t>(size_));
    constexpr int kBytes = sizeof(Announcement);
    std::vector<MPI_Request> request(1);
    check_mpi(MPI_Iallgather(&own, kBytes, MPI_BYTE, by_rank.data(), kBytes, MPI_BYTE, comm_, request.data()),
              "MPI_Iallgather", rank_);
    wait_for(request, "MPI_Iallgather", rank_);
    if (!all_alike(by_rank)) throw AgreedError(difference(by_rank));
    return by_rank;
  }

  void start_broadcast(std::span<std::byte> bytes, int root, std::vector<MPI_Request>& requests) {
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(kLargest, bytes.size()))) {
      const int count = static_cast<int>(std::min(kLargest, bytes.size()));
      check_mpi(MPI_Ibcast(bytes.data(), count, MPI_BYTE, root, comm_, &requests.emplace_back(MPI_REQUEST_NULL)),
                "MPI_Ibcast", rank_);
    }
  }
};

}  // namespace

MpiSession::MpiSession() : exceptions_(std::uncaught_exceptions()) {
  int given = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &given), "MPI_Init_thread", -1);
  if (given < MPI_THREAD_MULTIPLE)
    throw machine_error(
        "MPI: found one without MPI_THREAD_MULTIPLE, expected it; use Open MPI 4 or another with threads");
}

MpiSession::~MpiSession() {
  if (std::uncaught_exceptions() <= exceptions_) MPI_Finalize();
}

std::unique_ptr<Communicator> MpiSession::world() {
  return std::make_unique<MpiRank>(MPI_COMM_WORLD);
}

std::optional<std::string> mpi_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING] = {};
  int length = 0;
  MPI_Get_library_version(text, &length);  // allowed before MPI_Init
  const std::string version(text, static_cast<std::size_t>(length));
  return version.substr(0, version.find(','));
}

}  // namespace spillway
