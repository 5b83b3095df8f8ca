#include "device/cuda/nvml.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace spillway {

// NVML's header isn't part of what we build with, so what is called is declared here. Names, types and values are those
// of the NVML API Reference Guide, https://docs.nvidia.com/deploy/nvml-api/ (nvmlReturn_t, nvmlClockType_t and
// nvmlTemperatureSensors_t are enums, nvmlDevice_t a pointer).
struct NvmlCalls {
  using Result = int;
  using Gpu = void*;
  Result (*init)();
  Result (*shutdown)();
  Result (*driver_version)(char* version, unsigned length);
  Result (*handle_by_pci_bus_id)(const char* pci_bus_id, Gpu* gpu);
  Result (*clock)(Gpu gpu, int type, unsigned* megahertz);
  Result (*power_limit)(Gpu gpu, unsigned* milliwatts);
  Result (*temperature)(Gpu gpu, int sensor, unsigned* celsius);
  Result (*reasons)(Gpu gpu, unsigned long long* bits);
};

namespace {

constexpr int kSuccess = 0;            // NVML_SUCCESS
constexpr int kSmClock = 1;            // NVML_CLOCK_SM
constexpr int kMemoryClock = 2;        // NVML_CLOCK_MEM
constexpr int kGpuSensor = 0;          // NVML_TEMPERATURE_GPU
constexpr unsigned kVersionSize = 80;  // NVML_SYSTEM_DRIVER_VERSION_BUFFER_SIZE

/// One bit of nvmlDeviceGetCurrentClocksEventReasons.
struct Reason {
  unsigned long long bit;
  const char* name;
  bool throttles;  ///< power, heat or another GPU; not what someone has set, nor idling
};
// nvmlClocksEventReason* and, where they weren't renamed, nvmlClocksThrottleReason*.
constexpr Reason kReasons[] = {
    {0x1, "idling", false},
    {0x2, "the application clocks' setting", false},
    {0x4, "the power cap", true},
    {0x8, "a hardware slowdown", true},
    {0x10, "sync boost with another GPU", true},
    {0x20, "a thermal slowdown by the driver", true},
    {0x40, "a thermal slowdown by the hardware", true},
    {0x80, "a power brake", true},
    {0x100, "the display clocks' setting", false},
};

/// Adds what `bits` say. Bits that are newer than this list throttle: nobody has set what nobody knows.
void add_reasons(unsigned long long bits, ClockReading& reading) {
  for (const Reason& reason : kReasons) {
    if ((bits & reason.bit) == 0) continue;
    reading.reasons.emplace_back(reason.name);
    reading.throttled |= reason.throttles;
    bits &= ~reason.bit;
  }
  if (bits == 0) return;
  reading.reasons.push_back(fmt::format("NVML's reason {:#x}", bits));
  reading.throttled = true;
}

/// What `call` gives for a GPU; empty if it fails or the library doesn't have it.
template <class Value, class Call, class... Arguments>
std::optional<Value> value_of(Call call, Arguments... arguments) {
  Value value = 0;
  if (call == nullptr || call(arguments..., &value) != kSuccess) return std::nullopt;
  return value;
}

}  // namespace

Nvml::Nvml(std::unique_ptr<NvmlCalls> calls) : calls_(std::move(calls)) {}

Nvml::~Nvml() {
  static_cast<void>(calls_->shutdown());  // nobody is left who could be told
}

std::unique_ptr<Nvml> Nvml::open(const std::string& name, std::string& why) {
  const std::optional<SharedLibrary> library = SharedLibrary::open(name, why);
  if (!library) return nullptr;
  auto calls = std::make_unique<NvmlCalls>();
  library->find("nvmlInit_v2", calls->init);
  library->find("nvmlShutdown", calls->shutdown);
  library->find("nvmlSystemGetDriverVersion", calls->driver_version);
  library->find("nvmlDeviceGetHandleByPciBusId_v2", calls->handle_by_pci_bus_id);
  library->find("nvmlDeviceGetClockInfo", calls->clock);
  library->find("nvmlDeviceGetEnforcedPowerLimit", calls->power_limit);
  library->find("nvmlDeviceGetTemperature", calls->temperature);
  // Renamed by driver 535; older ones only know the other name.
  library->find("nvmlDeviceGetCurrentClocksEventReasons", calls->reasons);
  if (calls->reasons == nullptr) library->find("nvmlDeviceGetCurrentClocksThrottleReasons", calls->reasons);
  if (calls->init == nullptr || calls->shutdown == nullptr || calls->handle_by_pci_bus_id == nullptr) {
    why = name + " lacks functions that NVML has";
    return nullptr;
  }
  if (const int result = calls->init(); result != kSuccess) {
    why = fmt::format("nvmlInit_v2 failed with {}", result);
    return nullptr;
  }
  return std::unique_ptr<Nvml>(new Nvml(std::move(calls)));  // shuts down what was begun
}

std::unique_ptr<Nvml> Nvml::open(const std::string& name, const std::string& pci_bus_id, std::string& why) {
  std::unique_ptr<Nvml> nvml = open(name, why);
  if (!nvml) return nullptr;
  if (const int result = nvml->calls_->handle_by_pci_bus_id(pci_bus_id.c_str(), &nvml->gpu_); result != kSuccess) {
    why = fmt::format("nvmlDeviceGetHandleByPciBusId_v2 failed with {} for {}", result, pci_bus_id);
    return nullptr;
  }
  return nvml;
}

std::string Nvml::driver_version() const {
  std::array<char, kVersionSize> version{};
  if (calls_->driver_version == nullptr || calls_->driver_version(version.data(), kVersionSize) != kSuccess) return "";
  return version.data();
}

std::optional<ClockReading> Nvml::read() const {
  if (gpu_ == nullptr) return std::nullopt;
  ClockReading reading;
  reading.sm_megahertz = value_of<unsigned>(calls_->clock, gpu_, kSmClock);
  reading.memory_megahertz = value_of<unsigned>(calls_->clock, gpu_, kMemoryClock);
  if (const auto milliwatts = value_of<unsigned>(calls_->power_limit, gpu_)) {
    reading.power_limit_watts = 1e-3 * *milliwatts;
  }
  reading.temperature_celsius = value_of<unsigned>(calls_->temperature, gpu_, kGpuSensor);
  if (const auto bits = value_of<unsigned long long>(calls_->reasons, gpu_)) add_reasons(*bits, reading);
  if (reading == ClockReading{}) return std::nullopt;
  return reading;
}

}  // namespace spillway
