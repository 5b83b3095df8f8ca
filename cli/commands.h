#pragma once

#include "cli/options.h"
#include "core/error.h"

namespace spillway {

// One function per command. Results go to stdout, progress to stderr. They throw Error; what they return is the exit
// code.

[[nodiscard]] ExitCode run_profile(const ProfileOptions& options, const std::string& command_line);
[[nodiscard]] ExitCode run_tune(const TuneOptions& options);
[[nodiscard]] ExitCode run_lower(const LowerOptions& options);
[[nodiscard]] ExitCode run_verify(const VerifyOptions& options);
[[nodiscard]] ExitCode run_simulate(const SimulateOptions& options);
[[nodiscard]] ExitCode run_sweep(const SweepOptions& options);
[[nodiscard]] ExitCode run_execute(const ExecuteOptions& options);
[[nodiscard]] ExitCode run_compare(const CompareOptions& options);
[[nodiscard]] ExitCode run_show(const ShowOptions& options);
[[nodiscard]] ExitCode run_list(const ListOptions& options);
[[nodiscard]] ExitCode run_doctor();

/// The whole program: parses, runs, prints an Error as one line. Returns the exit code.
[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace spillway
