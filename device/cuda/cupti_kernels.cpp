#include "device/cuda/cupti_kernels.h"

#include <cupti.h>
#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "device/cuda/shared_library.h"

namespace spillway {

struct CuptiCalls {
  decltype(cuptiGetVersion)* version;
  decltype(cuptiGetResultString)* result_text;
  decltype(cuptiActivityRegisterCallbacks)* register_callbacks;
  decltype(cuptiActivityEnable)* enable;
  decltype(cuptiActivityDisable)* disable;
  decltype(cuptiActivityFlushAll)* flush_all;
  decltype(cuptiActivityGetNextRecord)* next_record;
  decltype(cuptiActivityGetNumDroppedRecords)* dropped;
};

namespace {

// What cupti_activity.h names for CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL.
#if CUPTI_API_VERSION >= 130000
using KernelRecord = CUpti_ActivityKernel10;
// A library of the same CUDA version but an earlier release writes an earlier record; what we read lies where it did.
static_assert(offsetof(KernelRecord, start) == offsetof(CUpti_ActivityKernel9, start));
static_assert(offsetof(KernelRecord, end) == offsetof(CUpti_ActivityKernel9, end));
static_assert(offsetof(KernelRecord, name) == offsetof(CUpti_ActivityKernel9, name));
#else
using KernelRecord = CUpti_ActivityKernel9;
#endif

// Up to 12.9 CUPTI counted its versions from 1 (CUDA 12.0: 19), since 13.0 they are CUDA's (130001); cupti_version.h.
constexpr std::uint32_t kFirstOfCuda12 = 19, kFirstOfCuda13 = 130000;

constexpr int cuda_of(std::uint32_t version) {
  if (version >= kFirstOfCuda13) return static_cast<int>(version / 10000);
  return version >= kFirstOfCuda12 ? 12 : 11;
}

std::string version_text(std::uint32_t version) {
  if (version < kFirstOfCuda13) return fmt::format("CUPTI API {}", version);
  return fmt::format("CUPTI {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

struct FilledBuffer {
  std::unique_ptr<std::byte[]> memory;
  std::size_t valid;  ///< bytes
};

/// What CUPTI has handed back. Its callbacks take no argument of ours, and threads of its own may call them as long as
/// the process lives, so there is one for all and it is never destroyed.
struct Inbox {
  std::mutex mutex;
  std::size_t size = 0;  ///< of the next buffer that CUPTI asks for
  std::vector<FilledBuffer> filled;
};
Inbox& inbox() {
  static Inbox* const only = new Inbox;
  return *only;
}

void CUPTIAPI buffer_requested(std::uint8_t** buffer, std::size_t* size, std::size_t* most_records) {
  const std::lock_guard lock(inbox().mutex);
  // Without memory CUPTI gets none, drops records and counts them.
  std::byte* const memory = new (std::nothrow) std::byte[inbox().size];
  *buffer = reinterpret_cast<std::uint8_t*>(memory);
  *size = memory == nullptr ? 0 : inbox().size;
  *most_records = 0;  // as many as there is room for
}

void CUPTIAPI buffer_completed(CUcontext, std::uint32_t, std::uint8_t* buffer, std::size_t, std::size_t valid) {
  std::unique_ptr<std::byte[]> memory(reinterpret_cast<std::byte*>(buffer));
  const std::lock_guard lock(inbox().mutex);
  inbox().filled.push_back({.memory = std::move(memory), .valid = valid});
}

std::vector<FilledBuffer> take_filled() {
  const std::lock_guard lock(inbox().mutex);
  return std::exchange(inbox().filled, {});
}

/// "void run<Add>(long, Add)" for "_Z3runI3AddEvlT_"; what isn't mangled, as it is.
std::string readable(const char* name) {
  if (name == nullptr) return "a kernel without a name";
  if (!std::string_view(name).starts_with("_Z")) return name;  // or "i" would become "int"
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 && text ? text.get() : name;
}

struct Seen {
  std::uint64_t start, end;  ///< nanoseconds
  std::string name;
};

/// Adds the kernels among a buffer's records to `seen`. Returns how many had no times or couldn't be read.
std::size_t read_kernels(const CuptiCalls& calls, const FilledBuffer& buffer, std::vector<Seen>& seen) {
  std::size_t lost = 0;
  CUpti_Activity* record = nullptr;
  while (true) {
    const CUptiResult result =
        calls.next_record(reinterpret_cast<std::uint8_t*>(buffer.memory.get()), buffer.valid, &record);
    if (result == CUPTI_ERROR_MAX_LIMIT_REACHED) return lost;  // that was the last one
    if (result != CUPTI_SUCCESS) return lost + 1;              // one that isn't complete ends a buffer
    if (record->kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL && record->kind != CUPTI_ACTIVITY_KIND_KERNEL) continue;
    const auto& kernel = *reinterpret_cast<const KernelRecord*>(record);
    if (kernel.start == 0 || kernel.end <= kernel.start) {
      ++lost;  // the device had no memory left for its times
    } else {
      seen.push_back({.start = kernel.start, .end = kernel.end, .name = readable(kernel.name)});
    }
  }
}

std::string failure(const CuptiCalls& calls, const char* call, CUptiResult result) {
  const char* text = nullptr;
  if (calls.result_text(result, &text) != CUPTI_SUCCESS || text == nullptr) text = "unknown";
  return fmt::format("{} failed: {} ({})", call, text, static_cast<int>(result));
}

/// Records kernels as long as it lives.
class Recording {
 public:
  explicit Recording(const CuptiCalls& calls) : calls_(calls) {}
  ~Recording() { static_cast<void>(calls_.disable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL)); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  const CuptiCalls& calls_;
};

}  // namespace

std::string cupti_library() {
  return fmt::format("libcupti.so.{}", cuda_of(CUPTI_API_VERSION));
}

CuptiKernels::CuptiKernels(std::unique_ptr<CuptiCalls> calls, std::string version, Bytes buffer)
    : calls_(std::move(calls)), version_(std::move(version)), buffer_(buffer) {}

CuptiKernels::~CuptiKernels() = default;

std::unique_ptr<CuptiKernels> CuptiKernels::open(const std::string& name, std::string& why, Bytes buffer) {
  const std::optional<SharedLibrary> library = SharedLibrary::open(name, why);
  if (!library) return nullptr;
  auto calls = std::make_unique<CuptiCalls>();
  bool complete = true;
  const auto find = [&](const char* function, auto*& place) {
    library->find(function, place);
    complete &= place != nullptr;
  };
  find("cuptiGetVersion", calls->version);
  find("cuptiGetResultString", calls->result_text);
  find("cuptiActivityRegisterCallbacks", calls->register_callbacks);
  find("cuptiActivityEnable", calls->enable);
  find("cuptiActivityDisable", calls->disable);
  find("cuptiActivityFlushAll", calls->flush_all);
  find("cuptiActivityGetNextRecord", calls->next_record);
  find("cuptiActivityGetNumDroppedRecords", calls->dropped);
  if (!complete) {
    why = name + " lacks functions that CUPTI has";
    return nullptr;
  }
  std::uint32_t version = 0;
  if (const CUptiResult result = calls->version(&version); result != CUPTI_SUCCESS) {
    why = failure(*calls, "cuptiGetVersion", result);
    return nullptr;
  }
  if (cuda_of(version) != cuda_of(CUPTI_API_VERSION)) {
    why = fmt::format("{} is {}, of CUDA {}; this build is for CUDA {}", name, version_text(version), cuda_of(version),
                      cuda_of(CUPTI_API_VERSION));
    return nullptr;
  }
  if (const CUptiResult result = calls->register_callbacks(&buffer_requested, &buffer_completed);
      result != CUPTI_SUCCESS) {
    why = failure(*calls, "cuptiActivityRegisterCallbacks", result);
    return nullptr;
  }
  return std::unique_ptr<CuptiKernels>(new CuptiKernels(std::move(calls), version_text(version), buffer));
}

std::optional<ObservedKernels> CuptiKernels::observe(const std::function<void()>& run, std::string& why) const {
  const auto succeeded = [&](const char* call, CUptiResult result) {
    if (result != CUPTI_SUCCESS) why = failure(*calls_, call, result);
    return result == CUPTI_SUCCESS;
  };
  {
    const std::lock_guard lock(inbox().mutex);
    inbox().size = static_cast<std::size_t>(buffer_.value);
    inbox().filled.clear();
  }
  std::size_t dropped = 0;
  if (!succeeded("cuptiActivityEnable", calls_->enable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL))) return std::nullopt;
  {
    const Recording recording(*calls_);
    static_cast<void>(calls_->dropped(nullptr, 0, &dropped));  // those of before don't count
    run();
    // Forced: else CUPTI keeps, and says nothing of, a buffer with a record that isn't complete.
    if (!succeeded("cuptiActivityFlushAll", calls_->flush_all(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED))) return std::nullopt;
  }
  dropped = 0;
  if (!succeeded("cuptiActivityGetNumDroppedRecords", calls_->dropped(nullptr, 0, &dropped))) return std::nullopt;

  ObservedKernels observed{.by = version_, .kernels = {}, .lost = dropped};
  std::vector<Seen> seen;
  for (const FilledBuffer& buffer : take_filled()) observed.lost += read_kernels(*calls_, buffer, seen);
  std::ranges::stable_sort(seen, {}, &Seen::start);  // buffers come in any order
  constexpr double kNanosecond = 1e-9;
  for (Seen& kernel : seen) {
    observed.kernels.push_back(
        {.name = std::move(kernel.name), .seconds = {kNanosecond * static_cast<double>(kernel.end - kernel.start)}});
  }
  return observed;
}

}  // namespace spillway
