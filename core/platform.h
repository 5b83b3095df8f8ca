#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/units.h"

namespace spillway {

/// A figure and where it comes from. What a source begins with is its mark: `measured: <by whom>`, `vendor data sheet`
/// (with `, unverified` where nobody opened it), `assumed: <why>`, `set ...`; the rest is for people.
struct Rate {
  BytesPerSecond value;
  std::string source;
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// Floating-point operations a second, and where the figure comes from.
struct ComputeRate {
  double flops_per_second = 0;
  std::string source;
  friend bool operator==(const ComputeRate&, const ComputeRate&) = default;
};

/// What one GPU can do at most. Only needed to transfer a trace from one GPU to another.
struct Gpu {
  std::string name;
  ComputeRate fp32;
  std::optional<ComputeRate> tf32, fp16;
  Rate memory;                          ///< peak, to and from its own memory
  std::optional<Rate> memory_measured;  ///< what a streaming kernel reached
  /// What ops are taken to reach of the roofline where none was measured on a GPU.
  double assumed_efficiency = 0.4;
  friend bool operator==(const Gpu&, const Gpu&) = default;
};

/// The link between a GPU's memory and its host's.
struct HostLink {
  Rate in;                   ///< host to device
  Rate out;                  ///< device to host
  std::optional<Rate> both;  ///< what both directions carry together at most, one alone apart; absent: in + out
  Seconds start;             ///< from a copy's issue to its first byte
  std::string start_source = {};
  friend bool operator==(const HostLink&, const HostLink&) = default;
};

/// A switch between some GPUs of a node and their socket. GPU g hangs on switch g / gpus.
struct Uplink {
  std::int64_t gpus = 1;     ///< GPUs that share it
  Rate in, out;              ///< host to switch, switch to host
  std::optional<Rate> both;  ///< both directions together; absent: in + out
  friend bool operator==(const Uplink&, const Uplink&) = default;
};

/// A node's sockets. GPU g of G belongs to socket g * count / G, and so does its part of the host pool.
struct Sockets {
  std::int64_t count = 1;
  Rate memory;               ///< what all copies from and to one socket's memory carry together
  std::optional<Rate> link;  ///< between two sockets, each way
  friend bool operator==(const Sockets&, const Sockets&) = default;
};

/// Links of one kind between two GPUs of a node.
struct Bricks {
  std::int64_t a = 0, b = 0;  ///< GPUs
  std::int64_t count = 1;
  friend bool operator==(const Bricks&, const Bricks&) = default;
};

/// How GPUs of a node reach each other.
struct GpuLinks {
  enum class Kind {
    host,      ///< only through their memory's copies: no peer to peer
    switches,  ///< peer to peer over the host links, and over the uplinks between two switches
    bricks,    ///< direct links between some pairs; other pairs as with `switches`
    crossbar,  ///< one switch for all, each GPU at `rate` each way
  };
  Kind kind = Kind::host;
  std::optional<Rate> rate;  ///< each way: of one brick, of a GPU at the crossbar, or between two GPUs under one switch
  std::vector<Bricks> bricks;  ///< kind bricks only
  Seconds start;               ///< of one step of a collective
  std::string start_source = {};
  /// What a large all-reduce over all GPUs of a node was seen to do, as nccl-tests' bus bandwidth: 2(N-1)/N of the
  /// bytes by the time.
  std::optional<Rate> all_reduce = {};
  friend bool operator==(const GpuLinks&, const GpuLinks&) = default;
};

/// How nodes reach each other.
struct Network {
  std::int64_t nics = 1;       ///< of one node
  Rate rate;                   ///< of one NIC, each way
  Seconds start;               ///< of one step of a collective
  bool behind_uplink = false;  ///< traffic to a NIC takes the uplink of its GPUs
  std::string start_source = {};
  friend bool operator==(const Network&, const Network&) = default;
};

/// The machine a plan is for. What is absent isn't a bottleneck.
struct Platform {
  std::string name;
  std::string device;  ///< as `--device` takes it: `cpu:link=0.85GB/s`
  std::int64_t nodes = 1;
  std::int64_t gpus_per_node = 1;  ///< ranks of a node, each with a GPU of its own
  Bytes device_memory;             ///< of one GPU
  Bytes host_memory;               ///< of one node
  HostLink host_link;
  std::optional<Gpu> gpu = {};
  std::optional<Uplink> uplink = {};
  std::optional<Sockets> sockets = {};
  std::optional<GpuLinks> gpu_links = {};
  std::optional<Network> network = {};
  std::string device_memory_source = {}, host_memory_source = {};
  friend bool operator==(const Platform&, const Platform&) = default;

  [[nodiscard]] std::int64_t ranks() const { return nodes * gpus_per_node; }
};

/// The machine when only `gpus` GPUs of each node are in use: those that come first, as many on each socket. Numbered
/// anew, so that sockets, switches and bricks are the ones that they had; NICs and host memory stay.
///
/// Returns nothing when sockets or switches can't be shared so, or the node has fewer GPUs.
/// Requires: `gpus` >= 1.
[[nodiscard]] std::optional<Platform> with_gpus(const Platform& platform, std::int64_t gpus);

}  // namespace spillway
