#include "cli/stop_on_signals.h"

#include <csignal>
#include <cstdlib>

namespace spillway {
namespace {

std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may set it

extern "C" void ask_to_stop(int) {
  if (stop_asked.exchange(true)) std::_Exit(128 + SIGINT);  // the second Ctrl-C means it
}

}  // namespace

StopOnSignals::StopOnSignals() {
  stop_asked = false;
  std::signal(SIGINT, &ask_to_stop);
  std::signal(SIGTERM, &ask_to_stop);
}

StopOnSignals::~StopOnSignals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

const std::atomic<bool>& StopOnSignals::asked() const {
  return stop_asked;
}

}  // namespace spillway
