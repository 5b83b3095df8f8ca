#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/support/processes.h"

// How ranks end: one is killed, aborts or throws while all of them sum. Each rank is a process, started by mpirun.

namespace spillway {
namespace {

namespace fs = std::filesystem;

class Ending : public testing::TestWithParam<int> {
 protected:
  Ending() {
    std::string name = (fs::temp_directory_path() / "spillway-ranks-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~Ending() override { fs::remove_all(folder_); }

  /// Runs this many ranks of which rank 1 ends in this way, and returns mpirun's exit code; 124 if it hung.
  int exit_code_after(const std::string& how) {
    const fs::path output = folder_ / "output";
    const std::string command = "timeout 60 " SPILLWAY_MPIEXEC " -n " + std::to_string(GetParam()) +
                                " " SPILLWAY_MPI_RANK " " + how + " " + folder_.string() + " >" + output.string() +
                                " 2>&1 </dev/null";
    const int status = std::system(command.c_str());
    std::ifstream file(output);
    output_ << file.rdbuf();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  /// How many ranks were started and don't run any more. Waits a little for those that are being killed.
  int ranks_gone() {
    int gone = 0;
    for (int rank = 0; rank < GetParam(); ++rank) {
      pid_t process = 0;
      if (!(std::ifstream(folder_ / std::to_string(rank)) >> process)) continue;
      gone += ends(process) ? 1 : 0;
    }
    return gone;
  }

  [[nodiscard]] std::string output() const { return output_.str(); }

 private:
  fs::path folder_;
  std::ostringstream output_;
};

TEST_P(Ending, OfAllRanksTogetherIsAYes) {
  EXPECT_EQ(exit_code_after("finish"), 0) << output();
  EXPECT_EQ(ranks_gone(), GetParam());
}

TEST_P(Ending, OfAKilledRankEndsAllWithItsSignal) {
  EXPECT_EQ(exit_code_after("kill"), 128 + SIGKILL) << output();
  EXPECT_EQ(ranks_gone(), GetParam());
}

TEST_P(Ending, OfARankThatAbortsEndsAllWithItsExitCode) {
  EXPECT_EQ(exit_code_after("abort"), 3) << output();
  EXPECT_EQ(ranks_gone(), GetParam());
}

TEST_P(Ending, OfARankThatThrowsEndsAllWithItsExitCode) {
  EXPECT_EQ(exit_code_after("throw"), 3) << output();
  EXPECT_EQ(ranks_gone(), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Ranks, Ending, testing::Values(2, 3), testing::PrintToStringParamName());

}  // namespace
}  // namespace spillway
