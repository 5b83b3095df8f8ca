#include "tests/device/cuda/fake_cupti.h"

#include <cupti.h>

#include <cstring>
#include <thread>
#include <utility>

// It follows what cupti_activity.h says of each call.
namespace {

#if CUPTI_API_VERSION >= 130000
using KernelRecord = CUpti_ActivityKernel10;
#else
using KernelRecord = CUpti_ActivityKernel9;
#endif
using MemsetRecord = CUpti_ActivityMemset4;
using Kind = spillway::FakeCupti::Record::Kind;

spillway::FakeCupti state;
CUpti_BuffersCallbackRequestFunc request = nullptr;
CUpti_BuffersCallbackCompleteFunc complete = nullptr;

std::size_t size_of(CUpti_ActivityKind kind) {
  return kind == CUPTI_ACTIVITY_KIND_MEMSET ? sizeof(MemsetRecord) : sizeof(KernelRecord);
}

CUpti_ActivityKind kind_of(Kind kind) {
  switch (kind) {
    case Kind::concurrent_kernel: return CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
    case Kind::kernel: return CUPTI_ACTIVITY_KIND_KERNEL;
    case Kind::memset: return CUPTI_ACTIVITY_KIND_MEMSET;
    case Kind::incomplete: break;
  }
  return CUPTI_ACTIVITY_KIND_INVALID;
}

/// Packed, as the real one does.
void write(std::uint8_t* to, const spillway::FakeCupti::Record& record) {
  const CUpti_ActivityKind kind = kind_of(record.kind);
  if (kind == CUPTI_ACTIVITY_KIND_MEMSET) {
    MemsetRecord memset{};
    memset.kind = kind;
    std::memcpy(to, &memset, sizeof memset);
    return;
  }
  KernelRecord kernel{};
  kernel.kind = kind;
  kernel.name = record.name;
  kernel.start = record.start;
  kernel.end = record.end;
  std::memcpy(to, &kernel, sizeof kernel);
}

struct Buffer {
  std::uint8_t* memory = nullptr;
  std::size_t size = 0, used = 0;
};

void deliver() {
  std::vector<Buffer> buffers;
  for (const spillway::FakeCupti::Record& record : state.records) {
    const std::size_t needed = size_of(kind_of(record.kind));
    if (buffers.empty() || buffers.back().used + needed > buffers.back().size) {
      Buffer next;
      std::size_t most = 0;
      request(&next.memory, &next.size, &most);
      if (next.memory == nullptr) {
        ++state.dropped;
        continue;
      }
      buffers.push_back(next);
    }
    if (buffers.back().used + needed > buffers.back().size) {
      ++state.dropped;  // larger than a buffer
      continue;
    }
    write(buffers.back().memory + buffers.back().used, record);
    buffers.back().used += needed;
  }
  for (auto buffer = buffers.rbegin(); buffer != buffers.rend(); ++buffer) {
    ++state.buffers;
    complete(nullptr, 0, buffer->memory, buffer->size, buffer->used);
  }
}

}  // namespace

extern "C" {

spillway::FakeCupti* fake_cupti() {
  return &state;
}

CUptiResult cuptiGetVersion(std::uint32_t* version) {
  *version = state.version == 0 ? CUPTI_API_VERSION : state.version;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiGetResultString(CUptiResult, const char** text) {
  *text = "CUPTI_ERROR_OF_THE_FAKE";
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityRegisterCallbacks(CUpti_BuffersCallbackRequestFunc requested,
                                           CUpti_BuffersCallbackCompleteFunc completed) {
  if (requested == nullptr || completed == nullptr) return CUPTI_ERROR_INVALID_PARAMETER;
  request = requested;
  complete = completed;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityEnable(CUpti_ActivityKind kind) {
  if (state.enable_result != 0) return static_cast<CUptiResult>(state.enable_result);
  if (kind != CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) return CUPTI_ERROR_INVALID_KIND;
  state.enabled = true;
  ++state.observations;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityDisable(CUpti_ActivityKind) {
  state.enabled = false;
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityFlushAll(std::uint32_t) {
  if (request == nullptr) return CUPTI_ERROR_INVALID_OPERATION;
  if (state.flush_result != 0) return static_cast<CUptiResult>(state.flush_result);
  if (state.enabled) std::thread(deliver).join();
  return CUPTI_SUCCESS;
}
CUptiResult cuptiActivityGetNextRecord(std::uint8_t* buffer, std::size_t valid, CUpti_Activity** record) {
  if (buffer == nullptr) return CUPTI_ERROR_INVALID_PARAMETER;
  std::uint8_t* next = buffer;
  if (*record != nullptr) next = reinterpret_cast<std::uint8_t*>(*record) + size_of((*record)->kind);
  if (next >= buffer + valid) return CUPTI_ERROR_MAX_LIMIT_REACHED;
  *record = reinterpret_cast<CUpti_Activity*>(next);
  return (*record)->kind == CUPTI_ACTIVITY_KIND_INVALID ? CUPTI_ERROR_INVALID_KIND : CUPTI_SUCCESS;
}
CUptiResult cuptiActivityGetNumDroppedRecords(CUcontext, std::uint32_t, std::size_t* dropped) {
  *dropped = std::exchange(state.dropped, 0);
  return CUPTI_SUCCESS;
}
}
