// The device and the errors.
#include <algorithm>

#include "tests/device/cuda/fake_cuda_runtime.h"

namespace spillway {
namespace {

constexpr int kVersion = CUDART_VERSION;
constexpr int kWarp = 32, kMostThreads = 1024;
constexpr std::size_t kSharedMemory = 48 << 10;

bool is_gpu(const FakeDevice& device, int number) {
  return number >= 0 && number < device.count;
}

/// One attribute for which the fake has an answer.
bool find_attribute(const FakeDevice& device, cudaDeviceAttr attribute, int gpu, int& value) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: value = device.major; return true;
    case cudaDevAttrComputeCapabilityMinor: value = device.minor; return true;
    case cudaDevAttrMultiProcessorCount: value = device.multiprocessors; return true;
    case cudaDevAttrL2CacheSize: value = static_cast<int>(device.l2); return true;
    case cudaDevAttrWarpSize: value = kWarp; return true;
    case cudaDevAttrMaxThreadsPerBlock: value = kMostThreads; return true;
    case cudaDevAttrMaxSharedMemoryPerBlock: value = static_cast<int>(kSharedMemory); return true;
    case cudaDevAttrAsyncEngineCount: value = 2; return true;
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrHostRegisterSupported: value = 1; return true;
    case cudaDevAttrIntegrated:
    case cudaDevAttrPageableMemoryAccess:
    case cudaDevAttrPciDomainId:
    case cudaDevAttrPciDeviceId: value = 0; return true;
    case cudaDevAttrPciBusId: value = gpu; return true;
    case cudaDevAttrHostNumaId: value = -1; return true;
    default: return false;
  }
}

struct ErrorText {
  cudaError_t error;
  const char *name, *text;
};
#define SPILLWAY_ERROR(name, text) \
  { name, #name, text }
constexpr ErrorText kErrors[] = {
    SPILLWAY_ERROR(cudaSuccess, "no error"),
    SPILLWAY_ERROR(cudaErrorInvalidValue, "a value that this call can't take"),
    SPILLWAY_ERROR(cudaErrorMemoryAllocation, "out of device memory"),
    SPILLWAY_ERROR(cudaErrorInitializationError, "CUDA couldn't be started"),
    SPILLWAY_ERROR(cudaErrorCudartUnloading, "CUDA is shutting down"),
    SPILLWAY_ERROR(cudaErrorInvalidConfiguration, "a kernel's grid or block is too large"),
    SPILLWAY_ERROR(cudaErrorInvalidMemcpyDirection, "no such direction of a copy"),
    SPILLWAY_ERROR(cudaErrorInsufficientDriver, "no driver, or one that is too old"),
    SPILLWAY_ERROR(cudaErrorInvalidDeviceFunction, "no such kernel for this device"),
    SPILLWAY_ERROR(cudaErrorNoDevice, "no GPU is found"),
    SPILLWAY_ERROR(cudaErrorInvalidDevice, "no such GPU"),
    SPILLWAY_ERROR(cudaErrorNoKernelImageForDevice, "no kernel was built for this GPU"),
    SPILLWAY_ERROR(cudaErrorECCUncorrectable, "device memory has lost bits"),
    SPILLWAY_ERROR(cudaErrorInvalidResourceHandle, "no such handle, or no longer"),
    SPILLWAY_ERROR(cudaErrorIllegalState, "the object isn't in a state for this"),
    SPILLWAY_ERROR(cudaErrorLossyQuery, "the answer would leave something out"),
    SPILLWAY_ERROR(cudaErrorNotReady, "not completed yet"),
    SPILLWAY_ERROR(cudaErrorIllegalAddress, "a kernel used an address that isn't there"),
    SPILLWAY_ERROR(cudaErrorLaunchOutOfResources, "the GPU lacks resources for the launch"),
    SPILLWAY_ERROR(cudaErrorLaunchTimeout, "a kernel ran for too long"),
    SPILLWAY_ERROR(cudaErrorHostMemoryAlreadyRegistered, "host memory that is registered already"),
    SPILLWAY_ERROR(cudaErrorHostMemoryNotRegistered, "host memory that isn't registered"),
    SPILLWAY_ERROR(cudaErrorLaunchFailure, "a kernel has failed"),
    SPILLWAY_ERROR(cudaErrorNotPermitted, "not permitted here"),
    SPILLWAY_ERROR(cudaErrorNotSupported, "not supported"),
    SPILLWAY_ERROR(cudaErrorSystemNotReady, "the system isn't ready for CUDA"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureUnsupported, "not permitted during a capture"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureInvalidated, "an earlier error has invalidated the capture"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureMerge, "would merge two captures"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureUnmatched, "the capture began on another stream"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureUnjoined, "a stream of the capture wasn't joined"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureIsolation, "would depend on work outside of the capture"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureImplicit, "would make the default stream wait for a capture"),
    SPILLWAY_ERROR(cudaErrorCapturedEvent, "the event was last recorded in a capture"),
    SPILLWAY_ERROR(cudaErrorStreamCaptureWrongThread, "the capture was begun by another thread"),
    SPILLWAY_ERROR(cudaErrorUnknown, "unknown"),
};
#undef SPILLWAY_ERROR

const ErrorText* find_error(cudaError_t error) {
  const auto* const found = std::ranges::find(kErrors, error, &ErrorText::error);
  return found == std::end(kErrors) ? nullptr : found;
}

constexpr const char* kUnknownError = "unrecognized error code";  // documented

}  // namespace
}  // namespace spillway

using namespace spillway;

cudaError_t cudaGetDeviceCount(int* count) {
  return serve("cudaGetDeviceCount", OnRefusal::nothing, [&](FakeCall& call) {
    if (count == nullptr) return cudaErrorInvalidValue;
    *count = call.state.device.count;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return serve("cudaSetDevice", OnRefusal::nothing, [&](FakeCall& call) {
    if (!is_gpu(call.state.device, device)) return cudaErrorInvalidDevice;
    fake_host_thread().gpu = device;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return serve("cudaGetDevice", OnRefusal::nothing, [&](FakeCall&) {
    if (device == nullptr) return cudaErrorInvalidValue;
    *device = fake_host_thread().gpu;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return serve("cudaGetDeviceProperties", OnRefusal::nothing, [&](FakeCall& call) {
    if (properties == nullptr) return cudaErrorInvalidValue;
    if (!is_gpu(call.state.device, device)) return cudaErrorInvalidDevice;
    const FakeDevice& fake = call.state.device;
    *properties = {};
    fake.name.copy(properties->name, sizeof properties->name - 1);
    properties->uuid.bytes[sizeof properties->uuid.bytes - 1] = static_cast<char>(device);
    properties->pciBusID = device;
    properties->totalGlobalMem = fake.memory;
    properties->multiProcessorCount = fake.multiprocessors;
    properties->major = fake.major;
    properties->minor = fake.minor;
    properties->l2CacheSize = static_cast<int>(fake.l2);
    properties->warpSize = kWarp;
    properties->maxThreadsPerBlock = kMostThreads;
    properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = kMostThreads;
    properties->maxThreadsDim[2] = 64;
    properties->maxGridSize[0] = 0x7fffffff;
    properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
    properties->sharedMemPerBlock = kSharedMemory;
    properties->asyncEngineCount = 2;
    properties->concurrentKernels = properties->unifiedAddressing = properties->canMapHostMemory = 1;
    properties->hostRegisterSupported = 1;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return serve("cudaDeviceGetAttribute", OnRefusal::nothing, [&](FakeCall& call) {
    if (value == nullptr) return cudaErrorInvalidValue;
    if (!is_gpu(call.state.device, device)) return cudaErrorInvalidDevice;
    return find_attribute(call.state.device, attribute, device, *value) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  return serve_without_driver("cudaRuntimeGetVersion", [&](FakeCall&) {
    if (version == nullptr) return cudaErrorInvalidValue;
    *version = kVersion;
    return cudaSuccess;
  });
}

// Documented: 0 and no error without a driver.
cudaError_t cudaDriverGetVersion(int* version) {
  return serve_without_driver("cudaDriverGetVersion", [&](FakeCall& call) {
    if (version == nullptr) return cudaErrorInvalidValue;
    *version = call.state.no_driver ? 0 : kVersion;
    return cudaSuccess;
  });
}

// Documented: the last error of this host thread, and the first of the two forgets it. One of asynchronous work can't
// be forgotten.
cudaError_t cudaGetLastError() {
  const cudaError_t last = cudaPeekAtLastError();
  fake_host_thread().last_error = cudaSuccess;
  return last;
}

cudaError_t cudaPeekAtLastError() {
  const cudaError_t last = fake_host_thread().last_error;
  return last == cudaSuccess && !on_fake_gpu() && fake_work_failed() ? cudaErrorLaunchFailure : last;
}

const char* cudaGetErrorName(cudaError_t error) {
  const ErrorText* const found = find_error(error);
  return found == nullptr ? kUnknownError : found->name;
}

const char* cudaGetErrorString(cudaError_t error) {
  const ErrorText* const found = find_error(error);
  return found == nullptr ? kUnknownError : found->text;
}
