#include "tests/device/cuda/immediate_launches.h"

namespace spillway {

namespace {

template <class Functor>
void run_forwards(cudaStream_t, std::int64_t count, const Functor& functor) {
  for (std::int64_t i = 0; i < count; ++i) run_on_host(functor, i);
}
template <class Functor>
void run_backwards(cudaStream_t, std::int64_t count, const Functor& functor) {
  for (std::int64_t i = count; i > 0; --i) run_on_host(functor, i - 1);
}

constexpr LaunchTable kImmediate = {
#define SPILLWAY_ENTRY(Functor) .launch_##Functor = run_forwards<Functor>,
    SPILLWAY_ELEMENTS(SPILLWAY_ENTRY)
#undef SPILLWAY_ENTRY
};
constexpr LaunchTable kReversed = {
#define SPILLWAY_ENTRY(Functor) .launch_##Functor = run_backwards<Functor>,
    SPILLWAY_ELEMENTS(SPILLWAY_ENTRY)
#undef SPILLWAY_ENTRY
};

}  // namespace

const LaunchTable& immediate_launches() {
  return kImmediate;
}
const LaunchTable& reversed_launches() {
  return kReversed;
}

}  // namespace spillway
