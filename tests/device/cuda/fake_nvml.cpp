#include "tests/device/cuda/fake_nvml.h"

#include <cstring>

// Codes and names: NVML API Reference Guide, nvmlReturn_t.
namespace {

constexpr int kSuccess = 0, kUninitialized = 1, kInvalidArgument = 2, kNotFound = 6;
spillway::FakeNvml state;
int gpu;  // its address is the GPU's handle

template <class Value>
int answer(const void* handle, Value& place, Value value) {
  if (state.users == 0) return kUninitialized;
  if (handle != &gpu) return kInvalidArgument;
  if (state.sensors_result == kSuccess) place = value;
  return state.sensors_result;
}

}  // namespace

extern "C" {

spillway::FakeNvml* fake_nvml() {
  return &state;
}

int nvmlInit_v2() {
  if (state.init_result == kSuccess) ++state.users;
  return state.init_result;
}
int nvmlShutdown() {
  if (state.users == 0) return kUninitialized;
  --state.users;
  return kSuccess;
}
int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  if (state.users == 0) return kUninitialized;
  std::strncpy(version, "580.65.06", length);
  return kSuccess;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* pci_bus_id, void** handle) {
  if (state.users == 0) return kUninitialized;
  if (pci_bus_id != state.pci_bus_id) return kNotFound;
  *handle = &gpu;
  return kSuccess;
}
int nvmlDeviceGetClockInfo(void* handle, int type, unsigned* megahertz) {
  constexpr int kSm = 1, kMemory = 2;
  if (type != kSm && type != kMemory) return kInvalidArgument;
  return answer(handle, *megahertz, type == kSm ? state.sm_megahertz : state.memory_megahertz);
}
int nvmlDeviceGetEnforcedPowerLimit(void* handle, unsigned* milliwatts) {
  return answer(handle, *milliwatts, state.milliwatts);
}
int nvmlDeviceGetTemperature(void* handle, int sensor, unsigned* celsius) {
  return sensor == 0 ? answer(handle, *celsius, state.celsius) : kInvalidArgument;
}
// An older driver's name, so that both are tried.
int nvmlDeviceGetCurrentClocksThrottleReasons(void* handle, unsigned long long* reasons) {
  return answer(handle, *reasons, state.reasons);
}
}
