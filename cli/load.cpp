#include "cli/load.h"

#include <fmt/format.h>

#include "compile/lower.h"
#include "core/error.h"
#include "verify/verify.h"

namespace spillway {

ScheduleFile load_schedule(const std::string& path) {
  const std::string kind = kind_of_file(path);
  ScheduleFile file;
  if (kind == "schedule") {
    file = read_schedule(path);
  } else if (kind == "plan") {
    PlanFile plan = read_plan(path);
    try {
      std::variant<Schedule, Shortfall> lowered = lower(plan.trace, plan.plan);
      if (const Shortfall* shortfall = std::get_if<Shortfall>(&lowered)) {
        throw Error(ExitCode::no,
                    fmt::format("{}: {}; run 'spillway tune' again with what there is", path, to_text(*shortfall)));
      }
      file = {.schedule = std::get<Schedule>(std::move(lowered)), .trace = std::move(plan.trace)};
    } catch (const Error& error) {
      if (std::string(error.what()).starts_with(path)) throw;
      throw Error(error.code(), fmt::format("{}: {}", path, error.what()));
    }
  } else {
    throw input_error(fmt::format("{}: found a {}, expected a plan or a schedule{}", path, kind,
                                  kind == "trace" ? "; make a plan of it with 'spillway tune'" : ""));
  }
  const std::vector<Violation> violations = verify(file.trace, file.schedule);
  if (!violations.empty()) {
    throw Error(ExitCode::no, fmt::format("{}: isn't safe to run ({} violations), the first: {}", path,
                                          violations.size(), violations.front().text));
  }
  return file;
}

}  // namespace spillway
