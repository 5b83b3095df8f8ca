#include <gtest/gtest.h>

#include <cstdlib>

#include "comm/mpi.h"

namespace spillway {
namespace {

TEST(LaunchedByMpi, IsToldByTheLaunchersVariables) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_SIZE"})
    ::unsetenv(name);
  EXPECT_FALSE(launched_by_mpi());
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "MV2_COMM_WORLD_SIZE"}) {
    ::setenv(name, "1", 1);
    EXPECT_TRUE(launched_by_mpi()) << name;
    ::unsetenv(name);
  }
}

#ifdef SPILLWAY_WITHOUT_MPI
TEST(MpiSession, SaysWhatToInstallWhereItWasBuiltWithoutMpi) {
  try {
    const MpiSession session;
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "MPI: found a spillway that was built without it, expected one with it to run many ranks; install "
                 "libopenmpi-dev and openmpi-bin, and build again");
    EXPECT_EQ(error.code(), ExitCode::machine);
  }
}
#endif

}  // namespace
}  // namespace spillway
