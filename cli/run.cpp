#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>

#include "cli/commands.h"
#include "cli/parse.h"
#include "comm/communicator.h"
#include "comm/mpi.h"

namespace spillway {
namespace {

int complain(ExitCode code, const std::string& line) {
  std::fflush(stdout);
  const std::optional<int> rank = launched_rank();
  fmt::print(stderr, "spillway: {}{}\n", rank ? fmt::format("rank {}: ", *rank) : "", line);
  return static_cast<int>(code);
}

}  // namespace

int run(int argc, const char* const* argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond `ulimit -f` then fails like one to a full disk, and is reported
  try {
    const ExitCode code = parse_and_run(argc, argv);
    // Results that didn't reach the user are a failure: `spillway show plan > /dev/full`.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      return complain(ExitCode::machine, "stdout: can't be written to");
    return static_cast<int>(code);
  } catch (const AgreedError& error) {
    if (launched_rank().value_or(0) > 0) return static_cast<int>(error.code());  // rank 0 says it
    return complain(error.code(), error.what());
  } catch (const Error& error) {
    return complain(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return complain(ExitCode::machine, "out of host memory outside arena and host pool");
  } catch (const std::exception& error) {
    return complain(ExitCode::bug, fmt::format("{}; this is our bug: please report it with the command", error.what()));
  }
}

}  // namespace spillway
