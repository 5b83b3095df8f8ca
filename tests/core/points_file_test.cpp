#include "core/io/points_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/error.h"
#include "core/io/points_text.h"

namespace spillway {
namespace {

using testing::IsEmpty;

const std::string kTrace(64, 'a');

SweepPoint point_that_fits() {
  return {.question = {.platform = "dgx, \"old\"",
                       .gpus = 2,
                       .capacity = "60%",
                       .batch = 4,
                       .policy = "threshold",
                       .evaluations = 20,
                       .machine_sha256 = std::string(64, 'b')},
          .answer = SweepAnswer{.ranks = 2,
                                .capacity = {600},
                                .footprint = {1000},
                                .step = {0.1},
                                .compute = {1.0 / 3},
                                .stall = {0.02},
                                .samples_per_second = 80,
                                .arena = {590},
                                .host = {700},
                                .swaps = 3,
                                .times = "ops measured, all"}};
}

SweepPoint point_that_does_not_fit() {
  SweepPoint point = point_that_fits();
  point.question.gpus.reset();
  point.question.capacity.clear();
  point.answer = SweepAnswer{.reason = "no plan", .ranks = 1, .smallest_capacity = Bytes{601}};
  return point;
}

SweepPoint point_without_machine() {
  return {.question = {.platform = "x", .nodes = 3, .capacity = "1GiB", .policy = "tflms"},
          .answer = SweepAnswer{.reason = "no such machine"}};
}

class PointsFileTest : public testing::Test {
 protected:
  PointsFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "spillway-points-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~PointsFileTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path() const { return (folder_ / "points").string(); }
  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path(), std::ios::binary).rdbuf();
    return text.str();
  }
  void set(const std::string& content) const { std::ofstream(path(), std::ios::binary) << content; }
  [[nodiscard]] std::string error(const std::string& trace = kTrace, ExitCode code = ExitCode::input) const {
    const std::string before = content();
    try {
      const PointsFile file(path(), trace);
    } catch (const Error& caught) {
      EXPECT_EQ(caught.code(), code);
      EXPECT_EQ(content(), before);  // what is refused stays as it is
      const std::string line = caught.what();
      EXPECT_TRUE(line.starts_with(path() + ": ")) << line;
      return line.substr(path().size() + 2);
    }
    return "no error";
  }
  /// A file with both kinds of points.
  void make() const {
    PointsFile file(path(), kTrace);
    file.append(point_that_fits());
    file.append(point_that_does_not_fit());
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(PointsFileTest, KeepsPointsToTheLastBit) {
  {
    PointsFile file(path(), kTrace);
    EXPECT_THAT(file.found(), IsEmpty());
    file.append(point_that_fits());
  }
  {
    PointsFile file(path(), kTrace);
    EXPECT_FALSE(file.was_torn());
    file.append(point_that_does_not_fit());
    file.append(point_without_machine());
  }
  const PointsFile file(path(), kTrace);
  EXPECT_EQ(file.found(), (std::vector{point_that_fits(), point_that_does_not_fit(), point_without_machine()}));
}

TEST_F(PointsFileTest, TakesATornLastLineOffWhereverItIsTorn) {
  make();
  const std::string whole = content();
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t size = last + 1; size < whole.size(); ++size) {
    set(whole.substr(0, size));
    PointsFile file(path(), kTrace);
    EXPECT_TRUE(file.was_torn());
    EXPECT_EQ(file.found(), std::vector{point_that_fits()});
    EXPECT_EQ(content(), whole.substr(0, last));
    file.append(point_that_does_not_fit());
    EXPECT_EQ(content(), whole);
  }
  set(whole + std::string(40, '\0') + "\n");  // what a crash of the machine may leave
  EXPECT_TRUE(PointsFile(path(), kTrace).was_torn());
  EXPECT_EQ(content(), whole);
}

TEST_F(PointsFileTest, BeginsAgainWhereTheHeadingIsTorn) {
  { const PointsFile file(path(), kTrace); }
  const std::string heading = content();
  for (std::size_t size = 0; size < heading.size(); ++size) {
    set(heading.substr(0, size));
    const PointsFile file(path(), kTrace);
    EXPECT_EQ(file.was_torn(), size > 0);
    EXPECT_THAT(file.found(), IsEmpty());
    EXPECT_EQ(content(), heading);
  }
}

TEST_F(PointsFileTest, RefusesAnotherTraceAnotherVersionAndOtherFiles) {
  make();
  const std::string whole = content();
  EXPECT_EQ(error(std::string(64, 'c')),
            "its points are of another trace, or the trace has changed; begin another file");
  std::string other = whole;
  set(other.replace(other.find("\"0.1.0\""), 7, "\"0.0.9\""));
  EXPECT_EQ(error(), "its points are from Spillway 0.0.9, this is 0.1.0; begin another file");
  for (const char* content : {"my notes", "my notes\n", "{}\n", "[1]\n", "{\"format\": \"spillway-trace\"}\n", "\n"}) {
    set(content);
    EXPECT_EQ(error(), "isn't a file of a sweep's points") << content;
  }
}

TEST_F(PointsFileTest, RefusesABadLineBeforeTheLast) {
  make();
  const std::string whole = content();
  std::string bad = whole;
  set(bad.replace(bad.find("\"batch\":4"), 9, "\"batch\":0"));
  EXPECT_EQ(error(), "line 2: /batch: found 0, expected an integer of at least 1");
  bad = whole;
  set(bad.replace(bad.find("\"batch\":4"), 9, "\"batch\" 4"));
  EXPECT_EQ(error(), "line 2: isn't JSON; take the line out, and its point is computed again");
}

TEST_F(PointsFileTest, IsHeldByOneAtATime) {
  const PointsFile file(path(), kTrace);
  EXPECT_EQ(error(kTrace, ExitCode::machine), "another sweep is writing to it; wait for that one or name another file");
}

TEST(PointsText, IsCsvWithQuotesWhereTheyAreNeeded) {
  const std::vector points{point_that_fits(), point_that_does_not_fit(), point_without_machine()};
  EXPECT_EQ(points_csv(points),
            "platform,gpus,nodes,ranks,capacity,capacity_bytes,batch,policy,evaluations,step_seconds,"
            "samples_per_second,compute_seconds,stall_seconds,arena_bytes,host_bytes,footprint_bytes,swaps,"
            "smallest_capacity_bytes,times,reason\n"
            "\"dgx, \"\"old\"\"\",2,,2,60%,600,4,threshold,20,0.1,80.0,0.3333333333333333,0.02,590,700,1000,3,,"
            "\"ops measured, all\",\n"
            "\"dgx, \"\"old\"\"\",,,1,default,,4,threshold,20,,,,,,,,,601,,no plan\n"
            "x,,3,,1GiB,,1,tflms,1,,,,,,,,,,,no such machine\n");
}

}  // namespace
}  // namespace spillway
