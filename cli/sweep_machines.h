#pragma once

#include <vector>

#include "cli/options.h"
#include "tuner/sweep.h"

namespace spillway {

/// The pieces of lists as the user wrote them, `a,b` and flags given several times alike, each once. In a list of
/// platforms, `KEY=VALUE` behind a device string belongs to that: `cpu:link=0.5GB/s,threads=1,dgx-h100` are two.
[[nodiscard]] std::vector<std::string> list_of(const std::vector<std::string>& written);
[[nodiscard]] std::vector<std::string> platform_list_of(const std::vector<std::string>& written);
/// Throws Error (exit 2) naming the flag unless all are whole numbers above 0.
[[nodiscard]] std::vector<std::int64_t> numbers_of(const std::vector<std::string>& written, const std::string& flag);

/// Platforms x GPUs x nodes, changed by the settings. A combination that can't be has its reason.
/// Throws Error: as platform_for for a name, and exit 2 for settings that no platform takes.
[[nodiscard]] std::vector<SweepMachine> sweep_machines(const SweepOptions& options, const Trace& trace);

}  // namespace spillway
