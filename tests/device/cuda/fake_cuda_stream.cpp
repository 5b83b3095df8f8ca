#include "tests/device/cuda/fake_cuda_stream.h"

#include <chrono>
#include <memory>
#include <utility>

#include "device/cpu/thread_sanitizer.h"

namespace spillway {

bool& on_fake_gpu() {
  thread_local bool on = false;
  return on;
}

void FakeCompletion::complete() {
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  completed_.store(true, std::memory_order_release);
  bell_.ring();
}

void FakeCompletion::wait() {
  for (;;) {
    const std::uint32_t strokes = bell_.strokes();
    if (completed()) return;
    bell_.sleep(strokes);
  }
}

FakeStreamThread::FakeStreamThread(std::atomic<bool>& failed) : failed_(failed), newest_(new Link) {
  thread_ = std::thread([this, before = newest_] { run(before); });
}

FakeStreamThread::~FakeStreamThread() {
  finish();
  thread_.join();
}

void FakeStreamThread::push(std::function<void()> command, bool even_if_failed) {
  auto link = std::make_unique<Link>();
  link->command = std::move(command);
  link->even_if_failed = even_if_failed;
  ++pushed_;
  append(link.release());
}

void FakeStreamThread::finish() {
  if (std::exchange(finished_, true)) return;
  auto link = std::make_unique<Link>();
  link->last = true;
  append(link.release());
}

void FakeStreamThread::append(Link* link) {
  newest_->next.store(link, std::memory_order_release);
  newest_ = link;
  pushed_bell_.ring();
}

void FakeStreamThread::run(Link* before) {
  on_fake_gpu() = true;
  for (std::uint64_t count = 1;; ++count) {
    Link* link = nullptr;
    for (;;) {
      const std::uint32_t strokes = pushed_bell_.strokes();
      // This one's push and no later one: the host may do more between the two that nothing orders with this command.
      link = before->next.load(std::memory_order_acquire);
      if (link != nullptr) break;
      pushed_bell_.sleep(strokes);
    }
    delete std::exchange(before, link);
    if (link->last) break;
    if (link->even_if_failed || !failed_.load(std::memory_order_relaxed)) {
      try {
        link->command();
      } catch (...) {
        failed_.store(true, std::memory_order_relaxed);
      }
    }
    link->command = nullptr;
    completed_.store(count, std::memory_order_release);
    completed_bell_.ring();
  }
  delete before;
}

bool FakeStreamThread::completed(std::uint64_t commands) const {
  if (completed_.load(std::memory_order_relaxed) < commands) return false;
  static_cast<void>(completed_.load(std::memory_order_acquire));
  return true;
}

void FakeStreamThread::wait(std::uint64_t commands) {
  for (;;) {
    const std::uint32_t strokes = completed_bell_.strokes();
    if (completed(commands)) return;
    completed_bell_.sleep(strokes);
  }
}

void FakeStreamThread::wait_unordered(std::uint64_t commands) {
  const UnorderedHere unordered;
  wait(commands);
}

}  // namespace spillway
