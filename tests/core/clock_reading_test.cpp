#include "core/clock_reading.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(ClockReading, TextLeavesOutWhatIsNotKnown) {
  ClockReading reading;
  EXPECT_EQ(to_text(reading), "");
  reading.temperature_celsius = 70;
  reading.reasons = {"idling", "a power brake"};
  EXPECT_EQ(to_text(reading), "70 degrees C, held down by idling and a power brake");
}

}  // namespace
}  // namespace spillway
