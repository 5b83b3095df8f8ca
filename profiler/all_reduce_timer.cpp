#include "profiler/all_reduce_timer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "comm/meeting.h"
#include "core/statistics.h"
#include "device/rank_sum.h"

namespace spillway {
namespace {

constexpr int kWarmups = 2, kRepeats = 7;
constexpr Bytes kSmallest = 4_KiB, kFilled = 4_MiB;  // at once

ArenaPiece piece_of(Bytes size) {
  return {.offset = {}, .floats = size.value / static_cast<std::int64_t>(sizeof(float))};
}

/// A device that has joined the others, with its network stream.
class Reducer {
 public:
  Reducer(Device& device, Communicator& ranks, Bytes largest)
      : device_(device), ranks_(ranks), network_(ranks.duplicate()) {
    static_cast<void>(device.join_ranks(meeting_of(ranks)));
    const ArenaPiece piece = piece_of(largest);
    device.allocate(largest, std::max(kFilled, RankSum::staging(device, {&piece, 1})));
    network_stream_ = device.create_stream(StreamRole::network, 64);
    started_ = device.create_event();
    completed_ = device.create_event();
    fill(largest);
  }

  /// The slowest rank's time for one.
  Seconds time(RankSum& sum) {
    ranks_.barrier();
    device_.enqueue_record(network_stream_, started_, ++value_);
    sum.enqueue(network_stream_);
    finish(network_stream_);
    Seconds slowest;
    for (const std::string& text : ranks_.all_gather(std::to_string(device_.elapsed(started_, completed_).value)))
      slowest = std::max(slowest, Seconds{std::stod(text)});
    return slowest;
  }
  [[nodiscard]] RankSum sum_of(Bytes size) {
    const auto add_up = [this](std::span<const std::span<float>> pieces, float scale) {
      network_->all_reduce_sum(pieces, scale);
    };
    return RankSum(device_, {piece_of(size)}, {}, add_up, 1 / static_cast<float>(ranks_.size()));
  }

 private:
  /// With numbers that stay as they are when they become their mean: what memory holds may be slow to add up.
  void fill(Bytes size) {
    const auto commands = static_cast<std::size_t>(size.value / kFilled.value) + 8;
    const StreamId copies = device_.create_stream(StreamRole::swap_in, commands);
    const std::span<std::byte> pool = device_.host_pool();
    std::ranges::fill(std::span(reinterpret_cast<float*>(pool.data()), pool.size() / sizeof(float)), 0.5F);
    for (Bytes at; at < size; at += kFilled) device_.enqueue_swap_in(copies, {}, at, std::min(kFilled, size - at));
    finish(copies);
  }
  void finish(StreamId stream) {
    device_.enqueue_record(stream, completed_, ++value_);
    device_.wait(completed_, value_);
  }

  Device& device_;
  Communicator& ranks_;
  std::unique_ptr<Communicator> network_;  ///< for the stream's thread
  StreamId network_stream_;
  EventId started_, completed_;
  std::uint64_t value_ = 0;
};

}  // namespace

AllReduceCurve time_all_reduces(Device& device, Communicator& ranks, const std::function<void(Bytes)>& progress,
                                Bytes largest) {
  AllReduceCurve curve{.ranks = ranks.size(), .points = {}};
  Reducer reducer(device, ranks, largest);
  curve.by = device.all_reduce();
  for (Bytes size = kSmallest; size <= largest; size = size * 4) {
    if (progress) progress(size);
    RankSum sum = reducer.sum_of(size);
    std::vector<Seconds> seconds;
    for (int i = 0; i < kWarmups + kRepeats; ++i) {
      const Seconds once = reducer.time(sum);
      if (i >= kWarmups) seconds.push_back(once);
    }
    curve.points.push_back({.bytes = size, .seconds = std::max(median(seconds), Seconds{1e-6})});
  }
  return curve;
}

}  // namespace spillway
