#include <algorithm>
#include <set>

#include "core/io/files.h"
#include "core/io/parts.h"

namespace spillway {
namespace {

constexpr std::pair<GpuLinks::Kind, std::string_view> kKinds[] = {{GpuLinks::Kind::host, "host"},
                                                                  {GpuLinks::Kind::switches, "switches"},
                                                                  {GpuLinks::Kind::bricks, "bricks"},
                                                                  {GpuLinks::Kind::crossbar, "crossbar"}};

void add(OrderedJson& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

std::string text_or_nothing(const JsonNode& node, const char* key) {
  const auto member = node.find(key);
  return member ? member->string() : std::string();
}

OrderedJson to_json(const Rate& rate) {
  return {{"bandwidth_bytes_per_second", rate.value.value}, {"source", rate.source}};
}

OrderedJson to_json(const ComputeRate& rate) {
  return {{"flops_per_second", rate.flops_per_second}, {"source", rate.source}};
}

template <class AnyRate>
void add(OrderedJson& json, const char* key, const std::optional<AnyRate>& rate) {
  if (rate) json[key] = to_json(*rate);
}

Rate rate_from_json(const JsonNode& node) {
  node.only({"bandwidth_bytes_per_second", "source"});
  return {.value = {node.at("bandwidth_bytes_per_second").positive()}, .source = node.at("source").string()};
}

std::optional<Rate> rate_if_there(const JsonNode& node, const char* key) {
  const auto member = node.find(key);
  return member ? std::optional(rate_from_json(*member)) : std::nullopt;
}

ComputeRate compute_rate_from_json(const JsonNode& node) {
  node.only({"flops_per_second", "source"});
  return {.flops_per_second = node.at("flops_per_second").positive(), .source = node.at("source").string()};
}

std::optional<ComputeRate> compute_rate_if_there(const JsonNode& node, const char* key) {
  const auto member = node.find(key);
  return member ? std::optional(compute_rate_from_json(*member)) : std::nullopt;
}

OrderedJson to_json(const HostLink& link) {
  OrderedJson json{{"in", to_json(link.in)}, {"out", to_json(link.out)}};
  add(json, "both", link.both);
  json["start_seconds"] = link.start.value;
  add(json, "start_source", link.start_source);
  return json;
}

HostLink host_link_from_json(const JsonNode& node) {
  node.only({"in", "out", "both", "start_seconds", "start_source"});
  return {.in = rate_from_json(node.at("in")),
          .out = rate_from_json(node.at("out")),
          .both = rate_if_there(node, "both"),
          .start = {node.at("start_seconds").not_negative()},
          .start_source = text_or_nothing(node, "start_source")};
}

OrderedJson to_json(const Gpu& gpu) {
  OrderedJson json{{"name", gpu.name}, {"fp32", to_json(gpu.fp32)}};
  add(json, "tf32", gpu.tf32);
  add(json, "fp16", gpu.fp16);
  json["memory"] = to_json(gpu.memory);
  add(json, "memory_measured", gpu.memory_measured);
  json["assumed_efficiency"] = gpu.assumed_efficiency;
  return json;
}

Gpu gpu_from_json(const JsonNode& node) {
  node.only({"name", "fp32", "tf32", "fp16", "memory", "memory_measured", "assumed_efficiency"});
  Gpu gpu{.name = node.at("name").string(),
          .fp32 = compute_rate_from_json(node.at("fp32")),
          .tf32 = compute_rate_if_there(node, "tf32"),
          .fp16 = compute_rate_if_there(node, "fp16"),
          .memory = rate_from_json(node.at("memory")),
          .memory_measured = rate_if_there(node, "memory_measured")};
  if (const auto efficiency = node.find("assumed_efficiency")) {
    gpu.assumed_efficiency = efficiency->positive();
    if (gpu.assumed_efficiency > 1) efficiency->fail("a share of the roofline: above 0, at most 1");
  }
  return gpu;
}

OrderedJson to_json(const Uplink& uplink) {
  OrderedJson json{{"gpus", uplink.gpus}, {"in", to_json(uplink.in)}, {"out", to_json(uplink.out)}};
  add(json, "both", uplink.both);
  return json;
}

Uplink uplink_from_json(const JsonNode& node) {
  node.only({"gpus", "in", "out", "both"});
  return {.gpus = node.at("gpus").integer(1),
          .in = rate_from_json(node.at("in")),
          .out = rate_from_json(node.at("out")),
          .both = rate_if_there(node, "both")};
}

OrderedJson to_json(const Sockets& sockets) {
  OrderedJson json{{"count", sockets.count}, {"memory", to_json(sockets.memory)}};
  add(json, "link", sockets.link);
  return json;
}

Sockets sockets_from_json(const JsonNode& node) {
  node.only({"count", "memory", "link"});
  return {.count = node.at("count").integer(1),
          .memory = rate_from_json(node.at("memory")),
          .link = rate_if_there(node, "link")};
}

OrderedJson to_json(const GpuLinks& links) {
  OrderedJson json{{"kind", spelling(links.kind, kKinds)}};
  add(json, "rate", links.rate);
  if (links.kind == GpuLinks::Kind::bricks) {
    json["bricks"] = OrderedJson::array();
    for (const Bricks& pair : links.bricks)
      json["bricks"].push_back({{"a", pair.a}, {"b", pair.b}, {"count", pair.count}});
  }
  json["start_seconds"] = links.start.value;
  add(json, "start_source", links.start_source);
  add(json, "all_reduce", links.all_reduce);
  return json;
}

std::vector<Bricks> bricks_from_json(const JsonNode& node, std::int64_t gpus) {
  std::vector<Bricks> all;
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  const auto gpu = [&](const JsonNode& member) {
    const std::int64_t number = member.integer(0);
    if (number >= gpus) member.fail("a GPU of the node: below " + std::to_string(gpus));
    return number;
  };
  for (const JsonNode& item : node.items()) {
    item.only({"a", "b", "count"});
    const Bricks pair{.a = gpu(item.at("a")), .b = gpu(item.at("b")), .count = item.at("count").integer(1)};
    if (pair.a == pair.b) item.at("b").fail("another GPU than 'a'");
    if (!seen.insert(std::minmax(pair.a, pair.b)).second)
      item.fail_with("found these two GPUs a second time, expected one entry with all their bricks");
    all.push_back(pair);
  }
  return all;
}

GpuLinks gpu_links_from_json(const JsonNode& node, std::int64_t gpus) {
  node.only({"kind", "rate", "bricks", "start_seconds", "start_source", "all_reduce"});
  GpuLinks links{.kind = enumerator(node.at("kind"), kKinds),
                 .rate = rate_if_there(node, "rate"),
                 .bricks = {},
                 .start = {node.at("start_seconds").not_negative()},
                 .start_source = text_or_nothing(node, "start_source"),
                 .all_reduce = rate_if_there(node, "all_reduce")};
  const std::string kind = spelling(links.kind, kKinds);
  const bool bricks = links.kind == GpuLinks::Kind::bricks;
  if (!links.rate && (bricks || links.kind == GpuLinks::Kind::crossbar))
    node.fail_with("found no key 'rate', expected one with kind '" + kind + "'");
  if (links.rate && links.kind == GpuLinks::Kind::host)
    node.fail_with("found the key 'rate', expected none with kind 'host': the host links' rates count");
  if (!bricks && node.find("bricks")) node.fail_with("found the key 'bricks', expected none with kind '" + kind + "'");
  if (bricks) links.bricks = bricks_from_json(node.at("bricks"), gpus);
  return links;
}

OrderedJson to_json(const Network& network) {
  OrderedJson json{{"nics", network.nics}, {"rate", to_json(network.rate)}, {"start_seconds", network.start.value}};
  add(json, "start_source", network.start_source);
  json["behind_uplink"] = network.behind_uplink;
  return json;
}

Network network_from_json(const JsonNode& node) {
  node.only({"nics", "rate", "start_seconds", "start_source", "behind_uplink"});
  return {.nics = node.at("nics").integer(1),
          .rate = rate_from_json(node.at("rate")),
          .start = {node.at("start_seconds").not_negative()},
          .behind_uplink = node.at("behind_uplink").boolean(),
          .start_source = text_or_nothing(node, "start_source")};
}

}  // namespace

OrderedJson platform_to_json(const Platform& platform) {
  OrderedJson json{{"name", platform.name},
                   {"device", platform.device},
                   {"nodes", platform.nodes},
                   {"gpus_per_node", platform.gpus_per_node},
                   {"device_memory_bytes", platform.device_memory.value}};
  add(json, "device_memory_source", platform.device_memory_source);
  json["host_memory_bytes"] = platform.host_memory.value;
  add(json, "host_memory_source", platform.host_memory_source);
  json["host_link"] = to_json(platform.host_link);
  if (platform.gpu) json["gpu"] = to_json(*platform.gpu);
  if (platform.uplink) json["uplink"] = to_json(*platform.uplink);
  if (platform.sockets) json["sockets"] = to_json(*platform.sockets);
  if (platform.gpu_links) json["gpu_links"] = to_json(*platform.gpu_links);
  if (platform.network) json["network"] = to_json(*platform.network);
  return json;
}

Platform platform_from_json(const JsonNode& node) {
  node.only({"format", "version", "name", "device", "nodes", "gpus_per_node", "device_memory_bytes",
             "device_memory_source", "host_memory_bytes", "host_memory_source", "host_link", "gpu", "uplink", "sockets",
             "gpu_links", "network"});
  Platform platform{.name = node.at("name").string(),
                    .device = node.at("device").string(),
                    .nodes = node.at("nodes").integer(1),
                    .gpus_per_node = node.at("gpus_per_node").integer(1),
                    .device_memory = node.at("device_memory_bytes").bytes(1),
                    .host_memory = node.at("host_memory_bytes").bytes(1),
                    .host_link = host_link_from_json(node.at("host_link")),
                    .device_memory_source = text_or_nothing(node, "device_memory_source"),
                    .host_memory_source = text_or_nothing(node, "host_memory_source")};
  if (const auto gpu = node.find("gpu")) platform.gpu = gpu_from_json(*gpu);
  if (const auto uplink = node.find("uplink")) platform.uplink = uplink_from_json(*uplink);
  if (const auto sockets = node.find("sockets")) platform.sockets = sockets_from_json(*sockets);
  if (const auto links = node.find("gpu_links"))
    platform.gpu_links = gpu_links_from_json(*links, platform.gpus_per_node);
  if (const auto network = node.find("network")) platform.network = network_from_json(*network);
  return platform;
}

Platform read_platform(const std::string& path) {
  const OrderedJson json = parse_json(read_text(path), path);
  const JsonNode root(path, json);
  expect_format(root, "spillway-platform");
  return platform_from_json(root);
}

std::string platform_text(const Platform& platform) {
  OrderedJson json{{"format", "spillway-platform"}, {"version", 1}};
  json.update(platform_to_json(platform));
  return to_file_text(json);
}

}  // namespace spillway
