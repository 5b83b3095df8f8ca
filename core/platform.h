#pragma once

#include <optional>
#include <string>

#include "core/units.h"

namespace spillway {

/// A figure and where it comes from: `measured: <by whom, when>`, `vendor data sheet`, `set on the command line`.
struct Rate {
  BytesPerSecond value;
  std::string source;
  friend bool operator==(const Rate&, const Rate&) = default;
};

/// The link between a GPU's memory and its host's.
struct HostLink {
  Rate in;                   ///< host to device
  Rate out;                  ///< device to host
  std::optional<Rate> both;  ///< what both directions carry together at most; absent: in + out
  Seconds start;             ///< from a copy's issue to its first byte
  friend bool operator==(const HostLink&, const HostLink&) = default;
};

/// The machine a plan is for.
struct Platform {
  std::string name;
  std::string device;  ///< as `--device` takes it: `cpu:link=0.85GB/s`
  std::int64_t nodes = 1;
  std::int64_t gpus_per_node = 1;
  Bytes device_memory;  ///< of one GPU
  Bytes host_memory;    ///< of one node
  HostLink host_link;
  friend bool operator==(const Platform&, const Platform&) = default;
};

}  // namespace spillway
