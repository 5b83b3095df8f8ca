#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <variant>

#include "compile/lower.h"
#include "core/io/files.h"
#include "core/sha256.h"
#include "sim/simulate.h"
#include "tests/support/random_step.h"

namespace spillway {

/// A folder of its own with a random trace, and for it a plan, its schedule, a timeline and a platform, in memory and
/// as files.
class FilesOnDisk {
 public:
  explicit FilesOnDisk(unsigned seed) {
    std::string name = (std::filesystem::temp_directory_path() / "spillway-core-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
    trace = random_step(seed);
    plan = random_plan(trace, seed);
    plan.trace_path = "trace.json";
    plan.trace_sha256 = sha256(trace_text(trace));
    schedule = std::get<Schedule>(lower(trace, plan));
    timeline = simulate(trace, schedule, trace.machine);
    write("trace.json", trace_text(trace));
    write("plan.json", plan_text(plan, trace.graph));
    write("schedule.json", schedule_text(schedule, trace.graph));
    write("timeline.json", timeline_text(timeline));
    write("platform.json", platform_text(trace.machine));
  }
  ~FilesOnDisk() {
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
  }
  FilesOnDisk(const FilesOnDisk&) = delete;
  FilesOnDisk& operator=(const FilesOnDisk&) = delete;

  [[nodiscard]] std::string path(const std::string& file) const { return (folder_ / file).string(); }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(path(file), std::ios::binary) << text;
  }

  Trace trace;
  Plan plan;
  Schedule schedule;
  Timeline timeline;

 private:
  std::filesystem::path folder_;
};

}  // namespace spillway
