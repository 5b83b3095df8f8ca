#pragma once

#include <string>
#include <utility>

#include "core/plan.h"
#include "core/platform.h"
#include "core/schedule.h"
#include "core/timeline.h"
#include "core/trace.h"

namespace spillway {

// Readers throw Error (exit 2) of one line: file, JSON pointer, found, expected. Writers give the text; write it with
// write_file_atomically. Same noun, same bytes.

[[nodiscard]] Trace read_trace(const std::string& path);
[[nodiscard]] std::string trace_text(const Trace& trace);

[[nodiscard]] Platform read_platform(const std::string& path);
[[nodiscard]] std::string platform_text(const Platform& platform);

/// A plan or schedule with the trace that it names, found relative to it and unchanged (SHA-256).
struct PlanFile {
  Plan plan;
  Trace trace;
};
struct ScheduleFile {
  Schedule schedule;
  Trace trace;
};
[[nodiscard]] PlanFile read_plan(const std::string& path);
[[nodiscard]] std::string plan_text(const Plan& plan, const Graph& graph);
[[nodiscard]] ScheduleFile read_schedule(const std::string& path);
[[nodiscard]] std::string schedule_text(const Schedule& schedule, const Graph& graph);

/// Chrome trace JSON, for Perfetto, with what we need to read it back.
[[nodiscard]] Timeline read_timeline(const std::string& path);
[[nodiscard]] std::string timeline_text(const Timeline& timeline);

/// Which of our files `path` is: `trace`, `plan`, `schedule`, `platform`, `timeline`. Throws Error (exit 2) if none.
[[nodiscard]] std::string kind_of_file(const std::string& path);

/// `target` as seen from the folder of the file `from`, for references inside files.
[[nodiscard]] std::string relative_to(const std::string& target, const std::string& from);
/// The trace that a plan or schedule in the file `from` names.
[[nodiscard]] std::string trace_path_of(const std::string& from, const Plan& plan);
/// SHA-256 of a file's content. Throws Error (exit 2) when it can't be read.
[[nodiscard]] std::string sha256_of_file(const std::string& path);

}  // namespace spillway
