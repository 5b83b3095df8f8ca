#include "core/io/parts.h"

namespace spillway {
namespace {

OrderedJson clocks_to_json(const ClockReading& clocks) {
  OrderedJson json = OrderedJson::object();
  if (clocks.sm_megahertz) json["sm_megahertz"] = *clocks.sm_megahertz;
  if (clocks.memory_megahertz) json["memory_megahertz"] = *clocks.memory_megahertz;
  if (clocks.power_limit_watts) json["power_limit_watts"] = *clocks.power_limit_watts;
  if (clocks.temperature_celsius) json["temperature_celsius"] = *clocks.temperature_celsius;
  json["reasons"] = clocks.reasons;
  json["throttled"] = clocks.throttled;
  return json;
}

ClockReading clocks_from_json(const JsonNode& node) {
  node.only({"sm_megahertz", "memory_megahertz", "power_limit_watts", "temperature_celsius", "reasons", "throttled"});
  ClockReading clocks;
  if (const auto clock = node.find("sm_megahertz")) clocks.sm_megahertz = clock->integer(0);
  if (const auto clock = node.find("memory_megahertz")) clocks.memory_megahertz = clock->integer(0);
  if (const auto limit = node.find("power_limit_watts")) clocks.power_limit_watts = limit->not_negative();
  if (const auto degrees = node.find("temperature_celsius")) clocks.temperature_celsius = degrees->integer();
  clocks.reasons = node.at("reasons").strings();
  clocks.throttled = node.at("throttled").boolean();
  return clocks;
}

}  // namespace

OrderedJson provenance_to_json(const Provenance& from) {
  OrderedJson json{{"command", from.command}, {"date", from.date},       {"machine", from.machine},
                   {"device", from.device},   {"library", from.library}, {"instruction_set", from.instruction_set},
                   {"threads", from.threads}};
  if (!from.driver.empty()) json["driver"] = from.driver;
  if (!from.tracer.empty()) json["tracer"] = from.tracer;
  if (from.clocks) json["clocks"] = clocks_to_json(*from.clocks);
  return json;
}

Provenance provenance_from_json(const JsonNode& node) {
  node.only(
      {"command", "date", "machine", "device", "library", "instruction_set", "threads", "driver", "tracer", "clocks"});
  Provenance from{.command = node.at("command").string(),
                  .date = node.at("date").string(),
                  .machine = node.at("machine").string(),
                  .device = node.at("device").string(),
                  .library = node.at("library").string(),
                  .instruction_set = node.at("instruction_set").string(),
                  .threads = node.at("threads").integer(1)};
  if (const auto driver = node.find("driver")) from.driver = driver->string();
  if (const auto tracer = node.find("tracer")) from.tracer = tracer->string();
  if (const auto clocks = node.find("clocks")) from.clocks = clocks_from_json(*clocks);
  return from;
}

}  // namespace spillway
