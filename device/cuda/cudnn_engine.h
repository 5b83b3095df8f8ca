#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "device/cuda/cudnn_machine.h"

namespace spillway {

/// What fixes a kernel of cuDNN for a given operation graph on a given machine.
struct CudnnEngine {
  std::string pass;         ///< what the graph computes: "fprop", "fprop+bias", "dgrad", "wgrad"
  std::int64_t number = 0;  ///< cuDNN's, counted apart for each kind of graph
  /// Knob type and its choice, by type, each type once. What isn't listed has the engine's default.
  std::vector<std::pair<std::int64_t, std::int64_t>> knobs;
  std::string layout;  ///< of the activations: "nchw", "ndhwc"
  friend bool operator==(const CudnnEngine&, const CudnnEngine&) = default;
};

/// "cudnn 9.19.0|sm_90x132|fprop engine 70 knobs 2=1,5=3|ncdhw"; "knobs -" where none is chosen.
[[nodiscard]] std::string kernel_id(const CudnnMachine& machine, const CudnnEngine& engine);
/// The engine of a kernel id. Throws Error (exit 3) of one line when the id isn't one of cuDNN's, or is for another
/// version or another GPU than `machine`.
[[nodiscard]] CudnnEngine engine_of(const CudnnMachine& machine, const std::string& id);

/// The engine of a configuration that a heuristic gave, less pass and layout.
[[nodiscard]] CudnnEngine engine_of(const CudnnDescriptor& configuration);
/// The same configuration again, for an operation graph. Throws Error (exit 3) when the graph has no such engine or the
/// engine no such knob.
[[nodiscard]] CudnnDescriptor make_configuration(const CudnnMachine& machine, const CudnnDescriptor& graph,
                                                 const CudnnEngine& engine);

/// What cuDNN says about an engine's numbers and needs.
struct CudnnNotes {
  std::vector<cudnnBackendNumericalNote_t> numerical;
  std::vector<cudnnBackendBehaviorNote_t> behavior;

  [[nodiscard]] bool has(cudnnBackendNumericalNote_t note) const;
  [[nodiscard]] bool has(cudnnBackendBehaviorNote_t note) const;
};
[[nodiscard]] CudnnNotes notes_of(const CudnnDescriptor& configuration);
/// "tensor_core", "winograd", ...: cuDNN's names in lower case.
[[nodiscard]] std::vector<std::string> names_of(const CudnnNotes& notes);

}  // namespace spillway
