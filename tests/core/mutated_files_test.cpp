#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/error.h"
#include "tests/core/files_on_disk.h"
#include "tests/support/full_platform.h"
#include "verify/verify.h"

// Whatever is in a file, a reader reads it or throws Error: no crash, no other exception, no memory for absurd sizes.

namespace spillway {
namespace {

constexpr int kMutations = 2000;

/// `text` with one byte changed, put in or taken out, or one token (a number, a word, a string, a bracket) replaced.
std::string mutated(const std::string& text, std::mt19937& random) {
  const std::string_view tokens[] = {"0",          "-1",     "1",      "1e999",   "1e308", "9223372036854775807",
                                     "4294967295", "\"\"",   "null",   "true",    "{}",    "[]",
                                     "4294967296", "1e-308", "\"#2\"", "\"a#2\"", "-0.0",  "18446744073709551616"};
  const std::string_view bytes = "0123456789-+.eE\"\\{}[],: \n#/atnu\x01\x80\xff";
  std::string changed = text;
  const std::size_t at = random() % text.size();
  switch (random() % 5) {
    case 0: changed[at] = bytes[random() % bytes.size()]; return changed;
    case 1: changed.insert(at, 1, bytes[random() % bytes.size()]); return changed;
    case 2: changed.erase(at, 1 + random() % 3); return changed;
    default: break;
  }
  // From a value's beginning to the comma, bracket or line end behind it.
  const std::size_t begin = text.find_first_of("0123456789\"-tf", at);
  if (begin == std::string::npos) return changed;
  const std::size_t end = std::min(text.find_first_of(",]}\n", begin), text.size());
  return changed.replace(begin, end - begin, tokens[random() % std::size(tokens)]);
}

/// Reads `kMutations` mutants of `file`; `read` throws Error or is content.
void read_mutants(const FilesOnDisk& files, const std::string& file, const std::string& text,
                  const std::function<void(const std::string& path)>& read) {
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    SCOPED_TRACE(testing::Message() << "mutant " << i << " of " << file);
    files.write("mutant.json", mutated(text, random));
    try {
      read(files.path("mutant.json"));
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "not an Error: " << error.what();
    }
  }
  EXPECT_GT(refused, kMutations / 4);  // the mutants are bad enough
  EXPECT_LT(refused, kMutations);      // and some get through the parser
}

TEST(MutatedFiles, OfTracesAreReadOrRefused) {
  const FilesOnDisk files(3);
  read_mutants(files, "trace", trace_text(files.trace),
               [](const std::string& path) { static_cast<void>(read_trace(path)); });
}

TEST(MutatedFiles, OfPlansAreReadOrRefusedAndLoweredOrRefused) {
  const FilesOnDisk files(3);
  read_mutants(files, "plan", plan_text(files.plan, files.trace.graph), [](const std::string& path) {
    const PlanFile file = read_plan(path);
    static_cast<void>(lower(file.trace, file.plan, Effort::quick));
  });
}

TEST(MutatedFiles, OfSchedulesAreReadOrRefusedAndVerified) {
  const FilesOnDisk files(3);
  int unsafe = 0;
  read_mutants(files, "schedule", schedule_text(files.schedule, files.trace.graph), [&](const std::string& path) {
    const ScheduleFile file = read_schedule(path);
    unsafe += verify(file.trace, file.schedule).empty() ? 0 : 1;
  });
  EXPECT_GT(unsafe, 50);  // there is something for the verifier among them
}

TEST(MutatedFiles, OfTimelinesAreReadOrRefused) {
  const FilesOnDisk files(3);
  read_mutants(files, "timeline", timeline_text(files.timeline),
               [](const std::string& path) { static_cast<void>(read_timeline(path)); });
}

TEST(MutatedFiles, OfPlatformsAreReadOrRefused) {
  const FilesOnDisk files(3);
  for (const Platform& platform : {files.trace.machine, full_platform()}) {
    read_mutants(files, "platform", platform_text(platform),
                 [](const std::string& path) { static_cast<void>(read_platform(path)); });
  }
}

}  // namespace
}  // namespace spillway
