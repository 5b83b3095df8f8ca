#include "core/io/report.h"

#include <gtest/gtest.h>

#include <limits>

namespace spillway {
namespace {

TEST(Report, KeepsItsOrderAndItsTypes) {
  Report inner;
  inner.add("name", "op");
  Report report;
  report.add("policy", std::string("swap-\"all\""));
  report.add("batch", std::int64_t{4});
  report.add("fits", true);
  report.add("step_seconds", Seconds{0.25});
  report.add("arena_bytes", 1_KiB);
  report.add("ops", std::vector<Report>{inner});
  EXPECT_EQ(report.json(),
            "{\n"
            "  \"policy\": \"swap-\\\"all\\\"\",\n"
            "  \"batch\": 4,\n"
            "  \"fits\": true,\n"
            "  \"step_seconds\": 0.25,\n"
            "  \"arena_bytes\": 1024,\n"
            "  \"ops\": [\n"
            "    {\"name\": \"op\"}\n"
            "  ]\n"
            "}\n");
}

TEST(Report, FloatsHaveAsManyDigitsAsTellThemApart) {
  Report report;
  report.add("losses", std::vector<float>{0.1F, 1.0F / 3, 16777217.0F, 1.17549435e-38F});
  EXPECT_EQ(report.json(), "{\"losses\": [0.1, 0.33333334, 16777216.0, 1.1754944e-38]}\n");
}

TEST(Report, ALossThatIsNoNumberIsNull) {
  Report report;
  report.add("losses", std::vector<float>{std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(report.json(), "{\"losses\": [null]}\n");
}

}  // namespace
}  // namespace spillway
