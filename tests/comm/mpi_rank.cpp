#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "comm/mpi.h"

// A rank for ending_test.cpp: `spillway_mpi_rank HOW FOLDER` leaves its process id in a file of FOLDER, then all ranks
// sum for ever, until rank 1 ends as HOW says.

namespace spillway {
namespace {

constexpr int kSumsBefore = 20;

/// Sums until the process ends, or until `sums` is `last`.
void sum_until(Communicator& communicator, std::atomic<int>& sums, int last) {
  std::vector<float> floats(1'000'000, 1.0F);
  const std::span<float> piece(floats);
  while (sums.load() != last) {
    communicator.all_reduce_sum({&piece, 1}, 0);
    ++sums;
    sums.notify_all();
  }
}

void run_rank(std::string_view how, const std::string& folder) {
  MpiSession session;
  const auto communicator = session.world();
  std::ofstream(folder + "/" + std::to_string(communicator->rank())) << ::getpid() << '\n';
  communicator->barrier();
  if (how == "finish") return;

  std::atomic<int> sums = 0;
  if (communicator->rank() != 1) {
    sum_until(*communicator, sums, -1);
  } else if (how == "throw") {
    sum_until(*communicator, sums, kSumsBefore);
    throw machine_error("disk full");
  } else {
    // Ends in the midst of a sum, as this rank does nothing else.
    const std::jthread ending([&] {
      for (int seen = 0; seen < kSumsBefore; seen = sums.load()) sums.wait(seen);
      if (how == "abort") communicator->abort(ExitCode::machine);
      ::kill(::getpid(), SIGKILL);
    });
    sum_until(*communicator, sums, -1);
  }
}

}  // namespace
}  // namespace spillway

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    spillway::run_rank(argv[1], argv[2]);
  } catch (const spillway::Error& error) {
    return static_cast<int>(error.code());
  }
  return 0;
}
