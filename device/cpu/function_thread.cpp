#include "device/cpu/function_thread.h"

#include <pthread.h>

namespace spillway {

FunctionThread::FunctionThread(Bell& finished, Failures& failures)
    : finished_bell_(finished), failures_(failures), thread_([this] { run(); }) {}

FunctionThread::~FunctionThread() {
  stop_.store(true);
  bell_.ring();
  thread_.join();
}

void FunctionThread::start(void (*function)(void*), void* argument) {
  function_.store(function, std::memory_order_relaxed);
  argument_.store(argument, std::memory_order_relaxed);
  state_.store(State::started, std::memory_order_release);
  bell_.ring();
}

void FunctionThread::run() {
  pthread_setname_np(pthread_self(), "spill-function");
  while (true) {
    const std::uint32_t seen = bell_.strokes();
    if (state_.load(std::memory_order_acquire) == State::started) {
      try {
        function_.load(std::memory_order_relaxed)(argument_.load(std::memory_order_relaxed));
      } catch (...) {
        failures_.keep(std::current_exception());
        failed_.store(true, std::memory_order_relaxed);
      }
      state_.store(State::finished, std::memory_order_release);
      finished_bell_.ring();
    } else if (stop_.load()) {
      return;
    } else {
      bell_.sleep(seen);
    }
  }
}

}  // namespace spillway
