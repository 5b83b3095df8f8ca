#pragma once

#include <string>

#include "device/cuda/cudnn_descriptor.h"

namespace spillway {

/// The GPU that engines are listed and plans are made for: the one behind a handle, or one described in writing, for
/// which neither a GPU nor a driver is needed. Plans of the latter can't be executed.
class CudnnMachine {
 public:
  /// A GPU described by cuDNN's device properties. Throws Error (exit 3) when cuDNN doesn't take the JSON.
  explicit CudnnMachine(const std::string& properties_json);
  /// The GPU that `handle` was created on. The handle must outlive this.
  explicit CudnnMachine(cudnnHandle_t handle);

  /// Library, compute capability and number of multiprocessors, the first two parts of every kernel id:
  /// "cudnn 9.19.0|sm_90x132". What they don't tell apart has the same engines.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// cuDNN's description of the GPU, as the first constructor takes it.
  [[nodiscard]] const std::string& properties_json() const { return json_; }

  // Each tells a descriptor, before it is finalized, which GPU it is for.
  void describe_to_graph(CudnnDescriptor& graph) const;
  void describe_to_heuristic(CudnnDescriptor& heuristic) const;
  void describe_to_engine(CudnnDescriptor& engine) const;
  void describe_to_plan(CudnnDescriptor& plan) const;

 private:
  cudnnHandle_t handle_ = nullptr;
  CudnnDescriptor properties_;
  std::string json_, name_;
};

/// "9.19.0", of the library that was loaded.
[[nodiscard]] std::string cudnn_version();

}  // namespace spillway
