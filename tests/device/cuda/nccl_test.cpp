// All-reduces between GPUs by NCCL, on the fake of it and of CUDA: ranks are threads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "comm/meeting.h"
#include "core/error.h"
#include "device/cuda/nccl_all_reduce.h"
#include "profiler/all_reduce_timer.h"
#include "tests/device/cuda/fake_nccl.h"
#include "tests/device/cuda/ranks_on_fake_gpus.h"
#include "tests/device/device_fixture.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::unique_ptr<Device> gpu_with(int number, const NcclLibrary& library) {
  return fake_gpu(number, make_nccl_all_reduce([library] { return library; }));
}
std::unique_ptr<Device> gpu_with_nccl(int number) {
  return gpu_with(number, FakeNccl::library());
}

std::string fact(const std::vector<std::pair<std::string, std::string>>& facts, const std::string& name) {
  for (const auto& [key, value] : facts)
    if (key == name) return value;
  return "none";
}

std::string complaint(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine) << error.what();
    return error.what();
  }
  return "none";
}

class Nccl : public testing::Test {
 protected:
  Nccl() {
    FakeCuda::reset();
    FakeCuda::set_device({.count = 3});
    FakeNccl::reset();
  }

  static void expect_nothing_left() {
    EXPECT_THAT(FakeNccl::leaks(), IsEmpty());
    EXPECT_THAT(FakeCuda::leaks(), IsEmpty());
  }
};

/// Two pieces of the arena, of two floats and of one, with something between them.
const std::vector<ArenaPiece> kPieces{{.offset = 256_B, .floats = 2}, {.offset = 1024_B, .floats = 1}};

/// A rank's GPU that has joined, and its floats: its rank + 1 times (1, 10, 100).
struct RankOnGpu {
  RankOnGpu(Communicator& communicator, std::unique_ptr<Device> its_gpu)
      : gpu(std::move(its_gpu)), joined(gpu->join_ranks(meeting_of(communicator))), rig(*gpu) {
    const auto mine = static_cast<float>(communicator.rank() + 1);
    const std::array<float, 2> first{mine, 10 * mine};
    const std::array<float, 1> second{100 * mine};
    rig.to_arena(256, std::as_bytes(std::span(first)));
    rig.to_arena(1024, std::as_bytes(std::span(second)));
  }

  void reduce(const std::vector<ArenaPiece>& pieces, float scale) {
    gpu->enqueue_all_reduce(rig.compute, pieces, scale);
    rig.finish(rig.compute);
  }
  std::vector<float> values() {
    std::vector<float> found(3);
    std::memcpy(found.data(), rig.from_arena(256, 8).data(), 8);
    std::memcpy(&found[2], rig.from_arena(1024, 4).data(), 4);
    return found;
  }

  std::unique_ptr<Device> gpu;
  bool joined;
  Rig rig;
};

TEST_F(Nccl, AddsUpAllPiecesInOneGroup) {
  run_ranks(3, [](Communicator& communicator) {
    RankOnGpu rank(communicator, gpu_with_nccl(communicator.rank()));
    ASSERT_TRUE(rank.joined);
    EXPECT_TRUE(rank.gpu->has_all_reduce());
    const std::uint64_t before = FakeCuda::calls("fake_cuda_launch");
    communicator.barrier();
    rank.reduce(kPieces, 0.5F);
    // (1 + 2 + 3) / 2 of 1, of 10 and of 100.
    EXPECT_THAT(rank.values(), ElementsAre(3, 30, 300));
    communicator.barrier();
    EXPECT_EQ(FakeCuda::calls("fake_cuda_launch"), before + 3);  // one kernel on each GPU
  });
  EXPECT_EQ(FakeNccl::calls("ncclGroupEnd"), 2U * 3);  // the one that joins, and this one
  EXPECT_EQ(FakeNccl::calls("ncclAllReduce"), (1U + 2) * 3);
  expect_nothing_left();
}

TEST_F(Nccl, RunsInAGraphAgainAndAgain) {
  run_ranks(2, [](Communicator& communicator) {
    RankOnGpu rank(communicator, gpu_with_nccl(communicator.rank()));
    const auto graph = rank.gpu->capture([&] { rank.gpu->enqueue_all_reduce(rank.rig.compute, kPieces, 1); });
    EXPECT_EQ(rank.values()[0], static_cast<float>(communicator.rank() + 1));  // nothing has run yet
    rank.gpu->replay(*graph);
    EXPECT_THAT(rank.values(), ElementsAre(3, 30, 300));
    rank.gpu->replay(*graph);
    EXPECT_THAT(rank.values(), ElementsAre(6, 60, 600));
  });
  expect_nothing_left();
}

TEST_F(Nccl, JoinsAnew) {
  run_ranks(2, [](Communicator& communicator) {
    const std::unique_ptr<Device> gpu = gpu_with_nccl(communicator.rank());
    EXPECT_TRUE(gpu->join_ranks(meeting_of(communicator)));
    EXPECT_TRUE(gpu->join_ranks(meeting_of(communicator)));
  });
  expect_nothing_left();
}

TEST_F(Nccl, SaysWhatItIsAndWhatMemoryItTakes) {
  run_ranks(2, [](Communicator& communicator) {
    const RankOnGpu rank(communicator, gpu_with_nccl(communicator.rank()));
    EXPECT_EQ(fact(rank.gpu->facts(), "all-reduces"),
              "on the GPUs, NCCL " + std::to_string(NCCL_MAJOR) + "." + std::to_string(NCCL_MINOR) + "." +
                  std::to_string(NCCL_PATCH) +
                  ", algorithm Ring, protocol Simple, for which it takes 1.00 MiB of a GPU's memory");
  });
}

TEST_F(Nccl, SaysNothingOfAllReducesWhereThereIsOneRank) {
  EXPECT_EQ(fact(gpu_with_nccl(0)->facts(), "all-reduces"), "none");
  EXPECT_EQ(FakeNccl::calls(), 0U);
}

TEST_F(Nccl, IsUsedOnlyWhereAllRanksHaveIt) {
  run_ranks(2, [](Communicator& communicator) {
    NcclLibrary missing;
    missing.missing = "libnccl.so.2: no such file";
    const RankOnGpu rank(communicator,
                         gpu_with(communicator.rank(), communicator.rank() == 1 ? missing : FakeNccl::library()));
    EXPECT_FALSE(rank.joined);
    EXPECT_FALSE(rank.gpu->has_all_reduce());
    EXPECT_EQ(fact(rank.gpu->facts(), "all-reduces"), "through host memory: on rank 1, libnccl.so.2: no such file");
  });
  EXPECT_EQ(FakeNccl::calls("ncclCommInitRank"), 0U);
}

TEST_F(Nccl, IsUsedOnlyWhereAllRanksHaveTheSame) {
  run_ranks(2, [](Communicator& communicator) {
    NcclLibrary library = FakeNccl::library(communicator.rank() == 1);
    const RankOnGpu rank(communicator, gpu_with(communicator.rank(), library));
    EXPECT_FALSE(rank.joined);
    EXPECT_THAT(
        fact(rank.gpu->facts(), "all-reduces"),
        HasSubstr("through host memory: rank 1 has NCCL 2.18.5, algorithm Ring, protocol Simple, rank 0 NCCL "));
    library = FakeNccl::library();
    if (communicator.rank() == 1) library.algorithm = "Tree";
    const RankOnGpu other(communicator, gpu_with(communicator.rank(), library));
    EXPECT_FALSE(other.joined);
  });
}

TEST_F(Nccl, RefusesRanksThatReduceDifferentSizes) {
  std::vector<std::string> lines(2);
  EXPECT_THROW(run_ranks(2,
                         [&](Communicator& communicator) {
                           RankOnGpu rank(communicator, gpu_with_nccl(communicator.rank()));
                           const ArenaPiece piece{.offset = 256_B, .floats = 1 + communicator.rank()};
                           std::string& line = lines[static_cast<std::size_t>(communicator.rank())];
                           line = complaint([&] { rank.reduce({piece}, 1); });
                           rank.gpu.reset();
                           throw machine_error(line);
                         }),
               Error);
  for (const std::string& line : lines)
    EXPECT_THAT(line, testing::StartsWith("NCCL: an all-reduce failed: invalid argument: another rank, its GPU"));
}

TEST_F(Nccl, TellsOfARankThatIsGoneInsteadOfWaitingForIt) {
  std::string line;
  run_ranks(2, [&](Communicator& communicator) {
    RankOnGpu rank(communicator, gpu_with_nccl(communicator.rank()));
    communicator.barrier();
    if (communicator.rank() == 1) {
      FakeNccl::lose(1);
    } else {
      line = complaint([&] { rank.reduce(kPieces, 1); });
    }
  });
  EXPECT_THAT(line, testing::StartsWith("NCCL: an all-reduce failed: another rank is gone: "));
  EXPECT_EQ(FakeNccl::calls("ncclCommAbort"), 1U);  // by rank 0, whose device would never end otherwise
  expect_nothing_left();
}

/// All-reduces enqueued and as a graph.
void run_all(Communicator& communicator) {
  RankOnGpu rank(communicator, gpu_with_nccl(communicator.rank()));
  rank.reduce(kPieces, 1);
  const auto graph = rank.gpu->capture([&] { rank.gpu->enqueue_all_reduce(rank.rig.compute, kPieces, 0.5F); });
  rank.gpu->replay(*graph);
  EXPECT_THAT(rank.values(), ElementsAre(3, 30, 300));
}

TEST_F(Nccl, AnyCallThatFailsGivesOneLineAndLeavesNothingBehind) {
  run_ranks(2, run_all);
  const std::uint64_t calls = FakeNccl::calls() - FakeNccl::calls("ncclCommGetAsyncError");
  ASSERT_GT(calls, 30U);
  int complaints = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    FakeNccl::reset();
    FakeNccl::fail_nth_call(nth);
    const std::string line = complaint([] { run_ranks(2, run_all); });
    const std::string call = FakeNccl::failed_call();
    SCOPED_TRACE(testing::Message() << "call " << nth << ", " << call);
    expect_nothing_left();
    EXPECT_EQ(line.find('\n'), std::string::npos);
    if (line == "none") {  // only what gives back may fail unheard
      EXPECT_THAT(call, HasSubstr("Destroy"));
      continue;
    }
    ++complaints;
    // The lowest rank's line counts: of its own failure, or of that of the rank that it then missed.
    EXPECT_THAT(line,
                testing::AnyOf(testing::StartsWith("NCCL: " + call + " for "), HasSubstr("another rank is gone")));
  }
  EXPECT_GT(complaints, 15);
}

TEST_F(Nccl, AnyCallOfCudaThatFailsUnderItDoesSoToo) {
  run_ranks(2, run_all);
  const std::uint64_t calls = FakeCuda::calls() - FakeCuda::calls("cudaEventQuery");
  ASSERT_GT(calls, 60U);
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    FakeCuda::reset();
    FakeCuda::set_device({.count = 3});
    FakeNccl::reset();
    FakeCuda::fail_nth_call(nth, cudaErrorUnknown);
    const std::string line = complaint([] { run_ranks(2, run_all); });
    const std::string call = FakeCuda::failed_call();
    SCOPED_TRACE(testing::Message() << "call " << nth << ", " << call << ": " << line);
    expect_nothing_left();
    EXPECT_EQ(line.find('\n'), std::string::npos);
    if (line == "none") {
      EXPECT_THAT(call, testing::AnyOf(HasSubstr("Destroy"), HasSubstr("Free"), HasSubstr("Unregister"),
                                       HasSubstr("DeviceSynchronize")));
    } else {
      EXPECT_THAT(line, testing::AnyOf(HasSubstr("cudaErrorUnknown"), HasSubstr("a CUDA call has failed"),
                                       HasSubstr("another rank is gone")));
    }
  }
}

class TrainingWithNccl : public Nccl {
 protected:
  Trace trace_ = profile_on_three_gpus(kTinyMlp);
};

TEST_F(TrainingWithNccl, OfTwoRanksIsThatOfTwoMicroBatches) {
  // Halves are exact, so that x / 2 + y / 2 is (x + y) / 2 to the last bit.
  const Planned passes = plan_for({.trace = &trace_, .micro_batches = 2});
  const std::vector<float> expected = train_on(1, passes, Issue::enqueued, gpu_with_nccl).front().losses;
  const Planned planned = plan_for({.trace = &trace_, .ranks = 2});
  for (const Issue issue : {Issue::enqueued, Issue::graph}) {
    for (const Trained& rank : train_on(2, planned, issue, gpu_with_nccl)) {
      EXPECT_EQ(rank.losses, expected);
      EXPECT_THAT(fact(rank.facts, "all-reduces"), HasSubstr("on the GPUs, NCCL"));
    }
  }
  expect_nothing_left();
}

TEST_F(TrainingWithNccl, OfThreeRanksIsThatOfThreeMicroBatchesButForRounding) {
  const Planned passes = plan_for({.trace = &trace_, .micro_batches = 3});
  const std::vector<float> expected = train_on(1, passes, Issue::enqueued, gpu_with_nccl).front().losses;
  const Planned planned = plan_for({.trace = &trace_, .ranks = 3});
  const std::vector<float> found = train_on(3, planned, Issue::enqueued, gpu_with_nccl).front().losses;
  for (std::size_t step = 0; step < expected.size(); ++step)
    EXPECT_NEAR(found[step], expected[step], 1e-5 * std::abs(expected[step])) << "step " << step;
  for (const Trained& rank : train_on(3, planned, Issue::graph, gpu_with_nccl)) EXPECT_EQ(rank.losses, found);
}

TEST_F(TrainingWithNccl, NeedsNoStagingInTheHostPool) {
  trace_.all_reduces = {{.ranks = 2, .points = {{1_KiB, 1.0_ms}}, .by = "NCCL 2.28.9"}};
  const Planned planned = plan_for({.trace = &trace_, .ranks = 2});
  const Bytes with = train_on(2, planned, Issue::enqueued, gpu_with_nccl).front().host_pool;
  const Bytes without =
      train_on(2, planned, Issue::enqueued, [](int rank) { return fake_gpu(rank); }).front().host_pool;
  EXPECT_EQ(with, planned.schedule.host_bytes);
  EXPECT_LT(with, without);
}

TEST_F(Nccl, IsTimedWhereThereIsSome) {
  for (const bool with : {true, false}) {
    const std::uint64_t before = FakeNccl::calls("ncclAllReduce");
    std::vector<AllReduceCurve> curves(2);
    run_ranks(2, [&](Communicator& ranks) {
      const std::unique_ptr<Device> gpu = with ? gpu_with_nccl(ranks.rank()) : fake_gpu(ranks.rank());
      curves[static_cast<std::size_t>(ranks.rank())] = time_all_reduces(*gpu, ranks, {}, 64_KiB);
      EXPECT_THAT(fact(gpu->facts(), "all-reduces"),
                  with ? HasSubstr("on the GPUs, NCCL") : HasSubstr("through host memory: this build has no NCCL"));
    });
    EXPECT_EQ(curves[0], curves[1]);
    EXPECT_EQ(curves[0].ranks, 2);
    EXPECT_EQ(curves[0].by.starts_with("NCCL "), with) << curves[0].by;
    EXPECT_EQ(curves[0].by.ends_with(", algorithm Ring, protocol Simple"), with) << curves[0].by;
    ASSERT_EQ(curves[0].points.size(), 3U);
    EXPECT_EQ(curves[0].points[0].bytes, 4_KiB);
    EXPECT_EQ(curves[0].points[2].bytes, 64_KiB);
    for (const auto& point : curves[0].points) EXPECT_GE(point.seconds, Seconds{1e-6});
    // One that joins, and for each size 2 to warm up and 7 that count, on each rank.
    EXPECT_EQ(FakeNccl::calls("ncclAllReduce") - before, with ? 2U * (1 + 3 * 9) : 0U);
  }
  expect_nothing_left();
}

TEST(LoadNccl, SaysWhatIsMissing) {
  const NcclLibrary library = load_nccl("libnccl-that-nobody-has.so");
  EXPECT_THAT(library.missing, testing::StartsWith("libnccl-that-nobody-has.so: "));
  EXPECT_EQ(load_nccl("libc.so.6").missing, "libc.so.6 has no ncclGetVersion, expected NCCL 2.13 or newer");
}

TEST(LoadNccl, FindsEveryCallOfTheRealOneAndPinsIt) {
#ifdef SPILLWAY_NCCL_LIBRARY
  unsetenv("NCCL_ALGO");
  setenv("NCCL_PROTO", "LL", 1);  // as a user would
  const NcclLibrary library = load_nccl(SPILLWAY_NCCL_LIBRARY);
  EXPECT_EQ(library.missing, "");
  int version = 0;
  EXPECT_EQ(library.get_version(&version), ncclSuccess);
  EXPECT_GE(version, NCCL_VERSION(2, 13, 0));
  EXPECT_EQ(library.algorithm, "Ring");
  EXPECT_EQ(library.protocol, "LL");
  EXPECT_STREQ(getenv("NCCL_ALGO"), "Ring");
  unsetenv("NCCL_ALGO");
  unsetenv("NCCL_PROTO");
#else
  GTEST_SKIP() << "no libnccl";
#endif
}

}  // namespace
}  // namespace spillway
