#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/op_description.h"
#include "core/units.h"
#include "device/cuda/cudnn_convolution_graph.h"
#include "device/cuda/cudnn_machine.h"

namespace spillway {

/// One engine of cuDNN with its knobs, for one convolution.
struct EngineChoice {
  std::string id;                  ///< of the kernel: see kernel_id
  Bytes workspace;                 ///< beside the operands
  std::vector<std::string> notes;  ///< "winograd", "strict_nan_prop", ...
};

/// The engines of one convolution.
struct EngineList {
  std::vector<EngineChoice> choices;  ///< the best first, as cuDNN expects
  std::size_t listed = 0;             ///< what cuDNN listed, before those that won't do were dropped
};

/// What cuDNN executes, with its operands' addresses and any number of times.
struct CudnnPlan {
  CudnnDescriptor plan;
  Bytes workspace;
};

/// How cuDNN can run one convolution (device/cuda/cudnn_convolution_graph.h) on one machine.
class CudnnConvolution {
 public:
  /// Requires: is_cudnn_convolution(op); `machine` outlives this. Throws like make_convolution_graph.
  CudnnConvolution(const CudnnMachine& machine, const OpDescription& op);

  /// What heuristic modes A and B name, then the engines that only the fallback mode names, in this order, each
  /// configuration once, less what can't be used: engines that are non-deterministic, that don't support this graph, or
  /// that are compiled at run time, whose bits would depend on the compiler found there; that round sums to fewer bits
  /// than FP32, or inputs to fewer than FP32 or, with `tf32`, on tensor cores, TF32.
  [[nodiscard]] EngineList engines(bool tf32) const;
  /// The plan of a kernel id. Throws Error (exit 3) of one line when it is for another version of cuDNN, another GPU,
  /// another kind of op or another layout, or its engine is non-deterministic, doesn't exist or doesn't support this.
  [[nodiscard]] CudnnPlan plan(const std::string& id) const;
  [[nodiscard]] const std::vector<CudnnOperand>& operands() const { return graph_.operands; }

 private:
  [[nodiscard]] std::vector<CudnnDescriptor> configurations(cudnnBackendHeurMode_t mode) const;
  [[nodiscard]] CudnnDescriptor unfinished_plan(const CudnnDescriptor& configuration, const std::string& what) const;

  const CudnnMachine& machine_;
  ConvolutionGraph graph_;
};

}  // namespace spillway
