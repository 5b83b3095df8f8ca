#pragma once

#include <memory>
#include <string>

#include "core/clock_reading.h"
#include "device/cuda/shared_library.h"

namespace spillway {

struct NvmlCalls;

/// Reads one GPU's clocks, power limit and temperature by NVML, the library of NVIDIA's driver. It only reads.
class Nvml {
 public:
  /// `library`: name or path. `pci_bus_id`: "00000000:81:00.0". Null, with the reason in `why`, where there is no such
  /// library or it doesn't know the GPU: whoever wants to read then does without.
  [[nodiscard]] static std::unique_ptr<Nvml> open(const std::string& library, const std::string& pci_bus_id,
                                                  std::string& why);
  /// The same without a GPU: `read` then tells nothing.
  [[nodiscard]] static std::unique_ptr<Nvml> open(const std::string& library, std::string& why);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  /// "580.65.06"; empty if NVML doesn't tell.
  [[nodiscard]] std::string driver_version() const;
  /// What can be read now; empty if nothing can.
  [[nodiscard]] std::optional<ClockReading> read() const;

 private:
  explicit Nvml(std::unique_ptr<NvmlCalls> calls);

  std::unique_ptr<NvmlCalls> calls_;
  void* gpu_ = nullptr;
};

}  // namespace spillway
