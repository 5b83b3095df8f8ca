#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "comm/threads.h"
#include "tests/device/cuda/fake_gpu.h"
#include "tests/support/ranks.h"

namespace spillway {

inline constexpr std::int64_t kStepsOnFakeGpus = 3;

/// A tiny network's trace from the first of three fake GPUs.
[[nodiscard]] inline Trace profile_on_three_gpus(const TinyModel& model) {
  FakeCuda::reset();
  FakeCuda::set_device({.count = 3});
  return profile_tiny(model, *fake_gpu());
}

/// What a rank finds.
struct Trained {
  std::vector<float> losses;
  Bytes host_pool;
  std::vector<std::pair<std::string, std::string>> facts;
};

/// What each rank finds, on the GPU that `make_gpu` gives it; one rank is alone.
[[nodiscard]] inline std::vector<Trained> train_on(int ranks, const Planned& planned, Issue issue,
                                                   const std::function<std::unique_ptr<Device>(int)>& make_gpu) {
  std::vector<Trained> trained(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    const std::unique_ptr<Device> gpu = make_gpu(communicator.rank());
    TrainRequest request;
    request.trace = &planned.step;
    request.schedule = &planned.schedule;
    if (ranks > 1) request.communicator = &communicator;
    request.steps = kStepsOnFakeGpus;
    request.issue = issue;
    const TrainResult result = train(*gpu, request);
    trained[static_cast<std::size_t>(communicator.rank())] = {
        .losses = result.losses, .host_pool = result.host_pool, .facts = gpu->facts()};
  });
  return trained;
}

}  // namespace spillway
