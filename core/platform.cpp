#include "core/platform.h"

#include "core/error.h"

namespace spillway {

std::optional<Platform> with_gpus(const Platform& platform, std::int64_t gpus) {
  SPILLWAY_CHECK(gpus >= 1, "a node without GPUs");
  const std::int64_t all = platform.gpus_per_node;
  if (gpus > all) return std::nullopt;
  if (gpus == all) return platform;
  const std::int64_t sockets = platform.sockets ? platform.sockets->count : 1;
  if (all % sockets != 0) return std::nullopt;
  const std::int64_t on_socket = all / sockets;

  // The fewest sockets that can share them evenly.
  std::int64_t used = (gpus + on_socket - 1) / on_socket;
  while (used <= sockets && gpus % used != 0) ++used;
  if (used > sockets) return std::nullopt;
  const std::int64_t kept = gpus / used;  // of each of these sockets, the first ones
  // A switch's GPUs are consecutive numbers, so what is dropped must leave whole switches; but on the last socket.
  const bool cut_before_another = used > 1 && kept < on_socket;
  if (cut_before_another && platform.uplink &&
      (kept % platform.uplink->gpus != 0 || on_socket % platform.uplink->gpus != 0)) {
    return std::nullopt;
  }

  Platform part = platform;
  part.gpus_per_node = gpus;
  if (part.sockets) part.sockets->count = used;
  if (part.gpu_links) {
    const auto is_used = [&](std::int64_t gpu) { return gpu / on_socket < used && gpu % on_socket < kept; };
    const auto number = [&](std::int64_t gpu) { return gpu / on_socket * kept + gpu % on_socket; };
    std::vector<Bricks>& bricks = part.gpu_links->bricks;
    std::erase_if(bricks, [&](const Bricks& pair) { return !is_used(pair.a) || !is_used(pair.b); });
    for (Bricks& pair : bricks) pair = {.a = number(pair.a), .b = number(pair.b), .count = pair.count};
  }
  return part;
}

}  // namespace spillway
