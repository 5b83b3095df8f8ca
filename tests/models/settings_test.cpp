#include "models/settings.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"

namespace spillway {

namespace {

const std::vector<SettingDescription> kDescriptions{
    {"side", "144", "edge"}, {"size", "", "edges"}, {"rate", "0.5", "a rate"}};

SettingsReader reader(const std::vector<std::string>& pairs) {
  return {"box", parse_settings(pairs), kDescriptions};
}

TEST(Settings, AreReadWithTheirDefaults) {
  const SettingsReader settings = reader({"size=96x112x96"});
  EXPECT_EQ(settings.whole_number("side", 1, 200), 144);
  EXPECT_FALSE(settings.is_set("side"));
  EXPECT_TRUE(settings.is_set("size"));
  EXPECT_EQ(settings.extents("size", 3), Extents({96, 112, 96}));
  EXPECT_EQ(settings.number("rate", 0, 1), 0.5);
}

struct BadSetting {
  std::string name;
  std::function<void()> read;
  std::string message;
};
void PrintTo(const BadSetting& bad, std::ostream* out) {
  *out << bad.name;
}

class BadSettings : public testing::TestWithParam<BadSetting> {};

TEST_P(BadSettings, AreRefusedInOneLine) {
  try {
    GetParam().read();
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), GetParam().message);
    EXPECT_EQ(error.code(), ExitCode::input);
  }
}

template <class Read>
std::function<void()> reading(const std::string& pair, Read read) {
  return [=] { static_cast<void>(read(reader({pair}))); };
}
const auto kSide = [](const SettingsReader& r) { return r.whole_number("side", 1, 200); };
const auto kSize = [](const SettingsReader& r) { return r.extents("size", 3); };
const auto kRate = [](const SettingsReader& r) { return r.number("rate", 0, 1); };

INSTANTIATE_TEST_SUITE_P(
    Settings, BadSettings,
    testing::Values(
        BadSetting{"NoEqualsSign", [] { static_cast<void>(reader({"side"})); },
                   "--set: found 'side', expected KEY=VALUE"},
        BadSetting{"NoKey", [] { static_cast<void>(reader({"=1"})); }, "--set: found '=1', expected KEY=VALUE"},
        BadSetting{"Twice",
                   [] {
                     static_cast<void>(reader({"side=1", "side=2"}));
                   },
                   "--set: 'side' is set twice"},
        BadSetting{"Unknown", [] { static_cast<void>(reader({"zzzzzz=1"})); },
                   "model 'box': zzzzzz: no such setting; it has side, size, rate"},
        BadSetting{"Fraction", reading("side=1.5", kSide),
                   "model 'box': side: found '1.5', expected a whole number from 1 to 200"},
        BadSetting{"TooLarge", reading("side=201", kSide),
                   "model 'box': side: found '201', expected a whole number from 1 to 200"},
        BadSetting{"Empty", reading("side=", kSide),
                   "model 'box': side: found '', expected a whole number from 1 to 200"},
        BadSetting{"TwoExtents", reading("size=96x112", kSize),
                   "model 'box': size: found '96x112', expected 3 whole numbers from 1 to 4096 with x between"},
        BadSetting{"ZeroExtent", reading("size=96x0x96", kSize),
                   "model 'box': size: found '96x0x96', expected 3 whole numbers from 1 to 4096 with x between"},
        BadSetting{"TrailingCross", reading("size=96x96x", kSize),
                   "model 'box': size: found '96x96x', expected 3 whole numbers from 1 to 4096 with x between"},
        BadSetting{"RateOfOne", reading("rate=1", kRate),
                   "model 'box': rate: found '1', expected a number from 0 to below 1"},
        BadSetting{"NotANumber", reading("rate=nan", kRate),
                   "model 'box': rate: found 'nan', expected a number from 0 to below 1"}),
    [](const auto& row) { return row.param.name; });

}  // namespace

}  // namespace spillway
