#include "sim/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/error.h"

namespace spillway {
namespace {

void append(Route& route, ResourceId resource) {
  if (resource.valid()) route.push_back(resource);
}

}  // namespace

Topology::Topology(const Platform& platform) : platform_(platform) {
  const std::int64_t gpus = platform.gpus_per_node;
  const std::int64_t sockets = platform.sockets ? platform.sockets->count : 1;
  const auto rate = [](const Rate& r) { return r.value.value; };
  // One direction alone isn't capped: some hosts carry less both ways at once than one way.
  const auto cap = [](const Rate& both, const Rate& in, const Rate& out) {
    return std::max({both.value, in.value, out.value}).value;
  };
  for (std::int64_t node = 0; node < platform.nodes; ++node) {
    const auto name = [&](const std::string& what) { return fmt::format("node{}.{}", node, what); };
    std::vector<ResourceId> memories(static_cast<std::size_t>(sockets));
    std::vector<ResourceId> links(static_cast<std::size_t>(sockets * sockets));
    if (platform.sockets) {
      for (std::int64_t s = 0; s < sockets; ++s) {
        memories[index(s)] = add(name(fmt::format("socket{}.memory", s)), rate(platform.sockets->memory));
        for (std::int64_t t = 0; t < sockets && platform.sockets->link; ++t)
          if (s != t)
            links[index(s * sockets + t)] = add(name(fmt::format("socket{}to{}", s, t)), rate(*platform.sockets->link));
      }
    }
    socket_links_.push_back(std::move(links));
    std::vector<std::pair<ResourceId, ResourceId>> nics;
    for (std::int64_t nic = 0; platform.network && nic < platform.network->nics; ++nic) {
      nics.emplace_back(add(name(fmt::format("nic{}.in", nic)), rate(platform.network->rate)),
                        add(name(fmt::format("nic{}.out", nic)), rate(platform.network->rate)));
    }
    std::vector<ResourceId> bricks;
    if (platform.gpu_links && platform.gpu_links->rate) {
      for (const Bricks& pair : platform.gpu_links->bricks) {
        const double bytes = static_cast<double>(pair.count) * rate(*platform.gpu_links->rate);
        bricks.push_back(add(name(fmt::format("gpu{}to{}", pair.a, pair.b)), bytes));
        bricks.push_back(add(name(fmt::format("gpu{}to{}", pair.b, pair.a)), bytes));
      }
    }
    bricks_.push_back(std::move(bricks));
    for (std::int64_t gpu = 0; gpu < gpus; ++gpu) {
      RankParts rank;
      rank.node = node;
      rank.gpu = gpu;
      rank.socket = gpu * sockets / gpus;
      rank.uplink = platform.uplink ? gpu / platform.uplink->gpus : gpu;
      rank.link_in = add(name(fmt::format("gpu{}.in", gpu)), rate(platform.host_link.in));
      rank.link_out = add(name(fmt::format("gpu{}.out", gpu)), rate(platform.host_link.out));
      if (platform.host_link.both)
        rank.both = add(name(fmt::format("gpu{}.both", gpu)),
                        cap(*platform.host_link.both, platform.host_link.in, platform.host_link.out));
      if (platform.uplink) {
        if (gpu % platform.uplink->gpus == 0) {
          rank.up_in = add(name(fmt::format("switch{}.in", rank.uplink)), rate(platform.uplink->in));
          rank.up_out = add(name(fmt::format("switch{}.out", rank.uplink)), rate(platform.uplink->out));
          if (platform.uplink->both)
            rank.up_both = add(name(fmt::format("switch{}.both", rank.uplink)),
                               cap(*platform.uplink->both, platform.uplink->in, platform.uplink->out));
        } else {
          rank.up_in = ranks_.back().up_in;
          rank.up_out = ranks_.back().up_out;
          rank.up_both = ranks_.back().up_both;
        }
      }
      rank.memory = memories[index(rank.socket)];
      if (platform.gpu_links && platform.gpu_links->kind == GpuLinks::Kind::crossbar && platform.gpu_links->rate) {
        rank.crossbar_in = add(name(fmt::format("gpu{}.crossbar_in", gpu)), rate(*platform.gpu_links->rate));
        rank.crossbar_out = add(name(fmt::format("gpu{}.crossbar_out", gpu)), rate(*platform.gpu_links->rate));
      }
      if (!nics.empty()) std::tie(rank.nic_in, rank.nic_out) = nics[index(gpu * platform.network->nics / gpus)];
      leave(rank, true, rank.out);
      append(rank.out, rank.memory);
      append(rank.in, rank.memory);
      enter(rank, true, rank.in);
      ranks_.push_back(std::move(rank));
    }
  }
}

ResourceId Topology::add(std::string name, double bytes_per_second) {
  return resources_.push_back({.name = std::move(name), .bytes_per_second = bytes_per_second});
}

void Topology::leave(const RankParts& rank, bool uplink, Route& route) const {
  append(route, rank.link_out);
  append(route, rank.both);
  if (!uplink) return;
  append(route, rank.up_out);
  append(route, rank.up_both);
}

void Topology::enter(const RankParts& rank, bool uplink, Route& route) const {
  if (uplink) {
    append(route, rank.up_in);
    append(route, rank.up_both);
  }
  append(route, rank.link_in);
  append(route, rank.both);
}

const Bricks* Topology::bricks(std::int64_t a, std::int64_t b) const {
  if (!platform_.gpu_links) return nullptr;
  for (const Bricks& pair : platform_.gpu_links->bricks) {
    if ((pair.a == a && pair.b == b) || (pair.a == b && pair.b == a)) return &pair;
  }
  return nullptr;
}

Route Topology::between(std::int64_t from, std::int64_t to) const {
  const RankParts& a = ranks_[index(from)];
  const RankParts& b = ranks_[index(to)];
  Route route;
  if (a.node != b.node) {
    const bool uplink = platform_.network && platform_.network->behind_uplink;
    leave(a, uplink, route);
    append(route, a.nic_out);
    append(route, b.nic_in);
    enter(b, uplink, route);
    return route;
  }
  if (a.crossbar_out.valid()) return {a.crossbar_out, b.crossbar_in};
  if (const Bricks* pair = bricks(a.gpu, b.gpu)) {
    const auto first = static_cast<std::size_t>(pair - platform_.gpu_links->bricks.data());
    return {bricks_[index(a.node)][2 * first + (pair->a == a.gpu ? 0 : 1)]};
  }
  const bool staged = !platform_.gpu_links || platform_.gpu_links->kind == GpuLinks::Kind::host;
  const bool uplink = staged || a.uplink != b.uplink;
  leave(a, uplink, route);
  if (staged) append(route, a.memory);
  if (a.socket != b.socket) {
    const std::int64_t sockets = platform_.sockets->count;
    append(route, socket_links_[index(a.node)][index(a.socket * sockets + b.socket)]);
  }
  if (staged) append(route, b.memory);
  enter(b, uplink, route);
  return route;
}

Seconds Topology::start(std::int64_t from, std::int64_t to) const {
  if (ranks_[index(from)].node != ranks_[index(to)].node)
    return platform_.network ? platform_.network->start : Seconds{};
  return platform_.gpu_links ? platform_.gpu_links->start : Seconds{};
}

}  // namespace spillway
