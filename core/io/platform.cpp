#include "core/io/files.h"
#include "core/io/parts.h"

namespace spillway {
namespace {

OrderedJson rate_to_json(const Rate& rate) {
  return {{"bandwidth_bytes_per_second", rate.value.value}, {"source", rate.source}};
}

Rate rate_from_json(const JsonNode& node) {
  node.only({"bandwidth_bytes_per_second", "source"});
  return {.value = {node.at("bandwidth_bytes_per_second").positive()}, .source = node.at("source").string()};
}

}  // namespace

OrderedJson platform_to_json(const Platform& platform) {
  const HostLink& link = platform.host_link;
  OrderedJson host_link{{"in", rate_to_json(link.in)}, {"out", rate_to_json(link.out)}};
  if (link.both) host_link["both"] = rate_to_json(*link.both);
  host_link["start_seconds"] = link.start.value;
  return {{"name", platform.name},
          {"device", platform.device},
          {"nodes", platform.nodes},
          {"gpus_per_node", platform.gpus_per_node},
          {"device_memory_bytes", platform.device_memory.value},
          {"host_memory_bytes", platform.host_memory.value},
          {"host_link", std::move(host_link)}};
}

Platform platform_from_json(const JsonNode& node) {
  node.only({"format", "version", "name", "device", "nodes", "gpus_per_node", "device_memory_bytes",
             "host_memory_bytes", "host_link"});
  const JsonNode link = node.at("host_link");
  link.only({"in", "out", "both", "start_seconds"});
  Platform platform{.name = node.at("name").string(),
                    .device = node.at("device").string(),
                    .nodes = node.at("nodes").integer(1),
                    .gpus_per_node = node.at("gpus_per_node").integer(1),
                    .device_memory = node.at("device_memory_bytes").bytes(1),
                    .host_memory = node.at("host_memory_bytes").bytes(1),
                    .host_link = {.in = rate_from_json(link.at("in")),
                                  .out = rate_from_json(link.at("out")),
                                  .both = {},
                                  .start = {link.at("start_seconds").not_negative()}}};
  if (const auto both = link.find("both")) platform.host_link.both = rate_from_json(*both);
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
