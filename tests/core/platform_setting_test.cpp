#include "core/io/platform_setting.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/error.h"
#include "tests/support/full_platform.h"

namespace spillway {
namespace {

const std::string kSource = "set on the command line";

/// One setting, and the same change in C++.
struct GoodSetting {
  std::string name, path, value;
  std::function<void(Platform&)> change;
};

void PrintTo(const GoodSetting& setting, std::ostream* out) {
  *out << setting.path << '=' << setting.value;
}

class GoodSettingTest : public testing::TestWithParam<GoodSetting> {};

TEST_P(GoodSettingTest, ChangesThisAndItsSourceOnly) {
  const GoodSetting& setting = GetParam();
  Platform expected = full_platform();
  setting.change(expected);
  EXPECT_NE(expected, full_platform());
  EXPECT_EQ(with_setting(full_platform(), setting.path, setting.value, "what"), expected);
}

const GoodSetting kGood[] = {
    {"Size", "device_memory_bytes", "32GiB",
     [](Platform& p) {
       p.device_memory = 32_GiB;
       p.device_memory_source = kSource;
     }},
    {"RateWithoutUnit", "host_link.in.bandwidth_bytes_per_second", "64e9",
     [](Platform& p) {
       p.host_link.in = {{64e9}, kSource};
     }},
    {"RateWithUnit", "sockets.link.bandwidth_bytes_per_second", "0.5GB/s",
     [](Platform& p) {
       p.sockets->link = Rate{{0.5e9}, kSource};
     }},
    {"BothWaysWithoutTheirCap", "host_link.bandwidth_bytes_per_second", "50GB/s",
     [](Platform& p) {
       p.host_link.in = p.host_link.out = {{50e9}, kSource};
       p.host_link.both.reset();
     }},
    {"BothWaysOfTheUplink", "uplink.bandwidth_bytes_per_second", "50GB/s",
     [](Platform& p) {
       p.uplink->in = p.uplink->out = {{50e9}, kSource};
       p.uplink->both.reset();
     }},
    {"Time", "network.start_seconds", "3us",
     [](Platform& p) {
       p.network->start = {3e-6};
       p.network->start_source = kSource;
     }},
    {"FloatingPointRate", "gpu.fp32.flops_per_second", "60e12",
     [](Platform& p) {
       p.gpu->fp32 = {60e12, kSource};
     }},
    {"Source", "gpu.fp32.source", "assumed: more", [](Platform& p) { p.gpu->fp32.source = "assumed: more"; }},
    {"Text", "name", "mine", [](Platform& p) { p.name = "mine"; }},
    {"Count", "gpus_per_node", "8", [](Platform& p) { p.gpus_per_node = 8; }},
    {"Truth", "network.behind_uplink", "false", [](Platform& p) { p.network->behind_uplink = false; }},
    {"ElementOfAList", "gpu_links.bricks.2.count", "3", [](Platform& p) { p.gpu_links->bricks[2].count = 3; }},
    {"KindWithoutBricks", "gpu_links.kind", "crossbar",
     [](Platform& p) {
       p.gpu_links->kind = GpuLinks::Kind::crossbar;
       p.gpu_links->bricks.clear();
     }},
    {"KindWithoutARate", "gpu_links.kind", "host",
     [](Platform& p) {
       p.gpu_links->kind = GpuLinks::Kind::host;
       p.gpu_links->bricks.clear();
       p.gpu_links->rate.reset();
     }},
};

INSTANTIATE_TEST_SUITE_P(Each, GoodSettingTest, testing::ValuesIn(kGood),
                         [](const testing::TestParamInfo<GoodSetting>& tested) { return tested.param.name; });

TEST(WithSetting, SetsARateThatIsAbsent) {
  Platform bare = full_platform();
  bare.host_link.both.reset();
  bare.gpu->tf32.reset();
  bare.host_link.start_source.clear();
  Platform set = with_setting(bare, "host_link.both.bandwidth_bytes_per_second", "20GB/s", "what");
  set = with_setting(set, "gpu.tf32.flops_per_second", "1e12", "what");
  set = with_setting(set, "host_link.start_source", "assumed: a guess", "what");
  bare.host_link.both = Rate{{20e9}, kSource};
  bare.gpu->tf32 = ComputeRate{1e12, kSource};
  bare.host_link.start_source = "assumed: a guess";
  EXPECT_EQ(set, bare);
}

struct BadSetting {
  std::string name, path, value, expected;  ///< behind "what: "
};

void PrintTo(const BadSetting& setting, std::ostream* out) {
  *out << setting.path << '=' << setting.value;
}

class BadSettingTest : public testing::TestWithParam<BadSetting> {};

TEST_P(BadSettingTest, IsRefusedWithOneLine) {
  const BadSetting& setting = GetParam();
  try {
    static_cast<void>(with_setting(full_platform(), setting.path, setting.value, "what"));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "what: " + setting.expected);
    EXPECT_EQ(error.code(), ExitCode::input);
  }
}

const BadSetting kBad[] = {
    {"UnknownKey", "devise_memory_bytes", "1",
     "found the key 'devise_memory_bytes', the platform has name, device, nodes, gpus_per_node, device_memory_bytes, "
     "device_memory_source, host_memory_bytes, host_memory_source, host_link, gpu, uplink, sockets, gpu_links, "
     "network; "
     "did you mean 'device_memory_bytes'?"},
    {"UnknownKeyBelow", "host_link.inn.source", "x",
     "found the key 'inn', 'host_link' has in, out, both, start_seconds, start_source, bandwidth_bytes_per_second; did "
     "you mean 'in'?"},
    {"Object", "uplink.in", "64GB/s",
     "'uplink.in' has no value of its own, expected one of its keys: bandwidth_bytes_per_second, source"},
    {"ObjectWithRatesBothWays", "host_link", "64GB/s",
     "'host_link' has no value of its own, expected one of its keys: in, out, both, start_seconds, start_source, "
     "bandwidth_bytes_per_second"},
    {"KeyOfAValue", "nodes.count", "2", "found the key 'count', but 'nodes' is a value and has none"},
    {"ElementThatIsNotThere", "gpu_links.bricks.3.count", "1",
     "found the key '3', 'gpu_links.bricks' has 0, 1, 2; did you mean '0'?"},
    {"NoPath", "", "1",
     "found the key '', the platform has name, device, nodes, gpus_per_node, device_memory_bytes, "
     "device_memory_source, "
     "host_memory_bytes, host_memory_source, host_link, gpu, uplink, sockets, gpu_links, network"},
    {"DotAtTheEnd", "host_link.in.", "1", "found the key '', 'host_link.in' has bandwidth_bytes_per_second, source"},
    {"SizeInWords", "device_memory_bytes", "much",
     "found 'much', expected a size above zero such as 12GiB, 640MiB or 12e9"},
    {"RateOfNothing", "host_link.in.bandwidth_bytes_per_second", "0",
     "found '0', expected a rate above zero such as 0.85GB/s"},
    {"TimeInMinutes", "host_link.start_seconds", "1min", "found '1min', expected a time such as 10us"},
    {"InfinitelyFast", "gpu.fp16.flops_per_second", "inf", "found 'inf', expected a number above 0 such as 15.7e12"},
    {"HalfAGpu", "gpus_per_node", "1.5", "found '1.5', expected a whole number"},
    {"NoNode", "nodes", "0", "/nodes: found 0, expected an integer of at least 1"},
    {"Perhaps", "network.behind_uplink", "perhaps", "found 'perhaps', expected true or false"},
    {"FewerGpusThanBricksJoin", "gpus_per_node", "2",
     "/gpu_links/bricks/1/b: found 2, expected a GPU of the node: below 2"},
    {"UnknownKind", "gpu_links.kind", "mesh",
     "/gpu_links/kind: found 'mesh', expected one of host, switches, bricks, crossbar"},
};

INSTANTIATE_TEST_SUITE_P(Each, BadSettingTest, testing::ValuesIn(kBad),
                         [](const testing::TestParamInfo<BadSetting>& tested) { return tested.param.name; });

}  // namespace
}  // namespace spillway
