#include "sim/own_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>

#include "core/error.h"

namespace spillway {
namespace {

std::string complaint_of(const std::function<void()>& work) {
  try {
    run_in_own_process("the library", work);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    return error.what();
  }
  return "none";
}

TEST(OwnProcess, OnlySharedMemoryReachesTheCaller) {
  const SharedMemory memory(2 * sizeof(int));
  int* shared = static_cast<int*>(memory.data());
  int own = 1;
  EXPECT_EQ(shared[1], 0);
  run_in_own_process("the library", [&] { own = shared[1] = 2; });
  EXPECT_EQ(own, 1);
  EXPECT_EQ(shared[1], 2);
}

TEST(OwnProcess, WhatIsThrownComesBackAsText) {
  EXPECT_EQ(complaint_of([] { throw std::runtime_error("no route"); }), "the library: no route");
}

TEST(OwnProcess, OutputThatTheCallerHoldsBackIsWrittenOnce) {
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  std::fputs("once", file);
  run_in_own_process("the library", [] { std::fflush(nullptr); });
  std::fflush(file);
  EXPECT_EQ(std::ftell(file), 4);
  std::fseek(file, 0, SEEK_END);
  EXPECT_EQ(std::ftell(file), 4);
  std::fclose(file);
}

TEST(OwnProcess, AnEndBySignalOrExitIsNoticed) {
  EXPECT_EQ(complaint_of([] { raise(SIGKILL); }), "the library: its process was ended by signal 9");
  EXPECT_EQ(complaint_of([] { _exit(7); }), "the library: its process ended with exit code 7");
}

}  // namespace
}  // namespace spillway
