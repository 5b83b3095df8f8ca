#pragma once

#include <cstddef>

#if defined(__SANITIZE_THREAD__)
#define SPILLWAY_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SPILLWAY_THREAD_SANITIZER 1
#endif
#endif

#ifdef SPILLWAY_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>

extern "C" {
void __tsan_read_range(void* address, unsigned long size);
void __tsan_write_range(void* address, unsigned long size);
void AnnotateIgnoreSyncBegin(const char* file, int line);
void AnnotateIgnoreSyncEnd(const char* file, int line);
}
#endif

// What ThreadSanitizer must be told so that it finds a missing wait of a schedule. It sees neither what oneDNN reads
// and writes nor that the two copy streams, though served by one thread, are unordered; and it would take each wake-up
// for an order between streams. In other builds all of this is nothing.

namespace spillway {

/// Tells that the calling thread reads / writes these bytes now.
inline void announce_read([[maybe_unused]] const void* address, [[maybe_unused]] std::size_t size) {
#ifdef SPILLWAY_THREAD_SANITIZER
  __tsan_read_range(const_cast<void*>(address), size);
#endif
}
inline void announce_write([[maybe_unused]] void* address, [[maybe_unused]] std::size_t size) {
#ifdef SPILLWAY_THREAD_SANITIZER
  __tsan_write_range(address, size);
#endif
}

/// While it lives, atomics of the calling thread order nothing.
class UnorderedHere {
 public:
#ifdef SPILLWAY_THREAD_SANITIZER
  UnorderedHere() {
    AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
  }
  ~UnorderedHere() {
    AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
  }
#else
  UnorderedHere() {}
  ~UnorderedHere() {}
#endif
  UnorderedHere(const UnorderedHere&) = delete;
  UnorderedHere& operator=(const UnorderedHere&) = delete;
};

/// A line of execution of its own, on whatever thread it is entered: what one track does is unordered with what another
/// does there.
class Track {
 public:
#ifdef SPILLWAY_THREAD_SANITIZER
  Track() : fiber_(__tsan_create_fiber(0)) {}
  ~Track() {
    __tsan_destroy_fiber(fiber_);
  }
#else
  Track() {}
  ~Track() {}
#endif
  Track(const Track&) = delete;
  Track& operator=(const Track&) = delete;

  /// Orders the calling thread behind all that the track has done.
#ifdef SPILLWAY_THREAD_SANITIZER
  void join() {
    void* const self = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber_, __tsan_switch_to_fiber_no_sync);
    __tsan_switch_to_fiber(self, 0);
  }
#else
  void join() {}
#endif

  /// While it lives, the calling thread is on the track: behind all that the thread did before, but what the track does
  /// stays unordered with what the thread does later. So nothing but atomics and the
  /// announced bytes may be written meanwhile, not even the thread's stack.
  class On {
   public:
#ifdef SPILLWAY_THREAD_SANITIZER
    explicit On(Track& track) : before_(__tsan_get_current_fiber()) {
      __tsan_switch_to_fiber(track.fiber_, 0);
    }
    ~On() {
      __tsan_switch_to_fiber(before_, __tsan_switch_to_fiber_no_sync);
    }
#else
    explicit On(Track&) {}
    ~On() {}
#endif
    On(const On&) = delete;
    On& operator=(const On&) = delete;

   private:
#ifdef SPILLWAY_THREAD_SANITIZER
    void* before_;
#endif
  };

 private:
#ifdef SPILLWAY_THREAD_SANITIZER
  void* fiber_;
#endif
};

}  // namespace spillway
