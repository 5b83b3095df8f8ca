#include "tests/device/cuda/fake_cuda_graph.h"

#include <algorithm>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include "device/cpu/thread_sanitizer.h"

namespace spillway {
namespace {

/// For each node, how many run before it: a random order that the edges allow.
std::vector<std::size_t> draw_turns(const std::vector<FakeNode>& nodes, std::mt19937_64& random) {
  std::vector<std::size_t> missing(nodes.size()), turns(nodes.size()), ready;
  std::vector<std::vector<std::size_t>> later(nodes.size());
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    missing[node] = nodes[node].behind.size();
    if (missing[node] == 0) ready.push_back(node);
    for (const std::size_t earlier : nodes[node].behind) later[earlier].push_back(node);
  }
  for (std::size_t turn = 0; !ready.empty(); ++turn) {
    std::swap(ready[random() % ready.size()], ready.back());
    const std::size_t node = ready.back();
    ready.pop_back();
    turns[node] = turn;
    for (const std::size_t next : later[node])
      if (--missing[next] == 0) ready.push_back(next);
  }
  return turns;
}

/// What the threads of one launch share.
class Run {
 public:
  explicit Run(const FakeLaunch& launch)
      : launch_(launch), completed_(std::make_unique<std::atomic<bool>[]>(launch.nodes.size())) {
    std::mt19937_64 random(launch.seed);
    turns_ = draw_turns(launch.nodes, random);
    const std::size_t widths[] = {1, 2, launch.nodes.size()};
    at_once_ = widths[random() % std::size(widths)];
  }

  void run_chain(const std::vector<std::size_t>& chain) {
    on_fake_gpu() = true;
    for (const std::size_t node : chain) {
      wait_for_turn(node);
      // An acquiring load each, of these nodes' flags only: this is where the edges become order.
      for (const std::size_t earlier : launch_.nodes[node].behind)
        static_cast<void>(completed_[earlier].load(std::memory_order_acquire));
      run_node(node);
      completed_[node].store(true, std::memory_order_release);
      {
        const UnorderedHere unordered;
        ++finished_;
      }
      bell_.ring();
    }
  }

 private:
  /// The node of the lowest turn that hasn't completed is always let through, so this ends.
  void wait_for_turn(std::size_t node) {
    const UnorderedHere unordered;
    for (;;) {
      const std::uint32_t strokes = bell_.strokes();
      const bool behind_all = std::ranges::all_of(launch_.nodes[node].behind,
                                                  [&](std::size_t earlier) { return completed_[earlier].load(); });
      if (behind_all && finished_.load() + at_once_ > turns_[node]) return;
      bell_.sleep(strokes);
    }
  }

  void run_node(std::size_t index) {
    const FakeNode& node = launch_.nodes[index];
    if (FakeCompletion* const record = launch_.records[index]; record != nullptr) {
      record->complete();
      return;
    }
    if (launch_.failed.load(std::memory_order_relaxed)) return;
    try {
      node.work();
    } catch (...) {
      launch_.failed.store(true, std::memory_order_relaxed);
    }
  }

  const FakeLaunch& launch_;
  std::vector<std::size_t> turns_;
  std::size_t at_once_ = 1;
  std::unique_ptr<std::atomic<bool>[]> completed_;
  std::atomic<std::size_t> finished_{0};
  Bell bell_;
};

}  // namespace

std::vector<std::vector<std::size_t>> chains_of(const std::vector<FakeNode>& nodes) {
  std::vector<std::vector<std::size_t>> chains;
  for (std::size_t node = 0; node < nodes.size(); ++node) {
    const auto continued = std::ranges::find_if(chains, [&](const std::vector<std::size_t>& chain) {
      return std::ranges::find(nodes[node].behind, chain.back()) != nodes[node].behind.end();
    });
    if (continued != chains.end()) {
      continued->push_back(node);
    } else {
      chains.push_back({node});
    }
  }
  return chains;
}

void run(const FakeLaunch& launch) {
  Run run(launch);
  std::vector<std::jthread> threads;
  for (const std::vector<std::size_t>& chain : launch.chains) {
    threads.emplace_back([&run, &chain] { run.run_chain(chain); });
  }
}

}  // namespace spillway
