#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace spillway {

// What the user typed, one struct per command; not interpreted yet.

struct ProfileOptions {
  std::string model;
  bool machine = false;  ///< only the machine, no model
  std::vector<std::string> set;
  std::optional<std::string> batch, optimizer, layout;
  std::string device = "cpu";
  bool tf32 = false;
  std::string output;
};

/// Which machine; not in ProfileOptions, whose `--set` is the model's.
struct PlatformOptions {
  std::optional<std::string> platform, gpu;
  std::vector<std::string> set;
  std::optional<std::int64_t> gpus, nodes;
};

inline constexpr const char* kDefaultPolicy = "threshold";

struct TuneOptions {
  std::string trace;
  PlatformOptions machine;
  std::optional<std::string> capacity, host_capacity;
  std::optional<std::string> batch;
  std::string micro_batches = "1";
  std::string policy = kDefaultPolicy;
  std::vector<std::string> keep, swap, recompute;
  std::int64_t evaluations = 0;  ///< 0: the tuner's default
  bool json = false;
  std::string output;
};

struct LowerOptions {
  std::string plan, output;
};

struct VerifyOptions {
  std::string schedule;
};

struct SimulateOptions {
  std::string file;
  PlatformOptions machine;
  std::string engine = "replica";
  std::optional<std::string> timeline;
  bool json = false;
};

/// Lists as typed: `a,b`, and again with the flag repeated.
struct SweepOptions {
  std::string trace;
  std::vector<std::string> platforms, gpus, nodes, set, capacities, batches, policies;
  std::optional<std::string> gpu;
  std::int64_t evaluations = 0;  ///< 0: the tuner's default
  std::int64_t jobs = 0;         ///< 0: as many as cores
  std::optional<std::string> points, csv, plot;
  bool json = false;
};

struct ExecuteOptions {
  std::string file;
  std::optional<std::string> device, data, weights, save, checkpoint, learning_rate, timeline;
  std::int64_t steps = 10;
  std::int64_t checkpoint_every = 100;
  std::uint64_t seed = 1;
  bool resume = false;
  bool json = false;
};

struct CompareOptions {
  std::string first, second;
  std::optional<std::string> tolerance;
  bool json = false;
};

struct ShowOptions {
  std::string file;
};

struct ListOptions {
  std::string what;
};

}  // namespace spillway
