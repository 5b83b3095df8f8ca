#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "comm/mpi.h"
#include "tests/comm/conformance.h"

// The conformance cases over MPI: started by mpirun, every rank runs every case.

namespace spillway {
namespace {

Communicator* world = nullptr;

class MpiRanks : public testing::TestWithParam<std::size_t> {};

TEST_P(MpiRanks, KeepThePromise) {
  conformance_cases()[GetParam()].body(*world);
}

INSTANTIATE_TEST_SUITE_P(Conformance, MpiRanks, testing::Range(std::size_t{0}, conformance_cases().size()),
                         [](const auto& named) { return conformance_cases()[named.param].name; });

/// Prints failures only, with the rank: what went well, rank 0 tells for all.
class FailurePrinter : public testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(int rank) : rank_(rank) {}
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed())
      fmt::print(stderr, "rank {}: {}:{}: {}\n", rank_, result.file_name() ? result.file_name() : "?",
                 result.line_number(), result.summary());
  }

 private:
  int rank_;
};

}  // namespace
}  // namespace spillway

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  spillway::MpiSession session;
  const auto communicator = session.world();
  spillway::world = communicator.get();
  if (argc != 2 || communicator->size() != std::atoi(argv[1])) {
    fmt::print(stderr, "found {} ranks, expected the number in the argument\n", communicator->size());
    return 2;
  }
  if (communicator->rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new spillway::FailurePrinter(communicator->rank()));  // GoogleTest owns it
  }
  return RUN_ALL_TESTS();
}
