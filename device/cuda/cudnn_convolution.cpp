#include "device/cuda/cudnn_convolution.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "device/cuda/cudnn_engine.h"

namespace spillway {
namespace {

/// Whether the same inputs always give the same bits, wherever the kernel id's machine is.
bool is_reproducible(const CudnnNotes& notes) {
  return !notes.has(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC) && !notes.has(CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION);
}

/// With FP32 operands tensor cores mean TF32 unless inputs are converted down further, to FP16 or BF16: of cuDNN 9.19's
/// engines for an A100 and an H100 none with tensor cores has a note of that.
bool is_precise(const CudnnNotes& notes, bool tf32) {
  return (tf32 || !notes.has(CUDNN_NUMERICAL_NOTE_TENSOR_CORE)) &&
         !notes.has(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) &&
         !notes.has(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
}

}  // namespace

CudnnConvolution::CudnnConvolution(const CudnnMachine& machine, const OpDescription& op)
    : machine_(machine), graph_(make_convolution_graph(op)) {
  machine_.describe_to_graph(graph_.graph);
  graph_.graph.finalize();
}

std::vector<CudnnDescriptor> CudnnConvolution::configurations(cudnnBackendHeurMode_t mode) const {
  CudnnDescriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR,
                            fmt::format("heuristic mode {} of {}", static_cast<int>(mode), graph_.pass));
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph_.graph);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, mode);
  machine_.describe_to_heuristic(heuristic);
  if (!heuristic.try_finalize()) return {};
  return heuristic.children(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR,
                            heuristic.count(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR));
}

CudnnDescriptor CudnnConvolution::unfinished_plan(const CudnnDescriptor& configuration, const std::string& what) const {
  CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, what);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
  machine_.describe_to_plan(plan);
  return plan;
}

EngineList CudnnConvolution::engines(bool tf32) const {
  EngineList list;
  std::set<std::string> ids;
  std::set<std::int64_t> numbers;
  for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_B, CUDNN_HEUR_MODE_FALLBACK}) {
    for (const CudnnDescriptor& configuration : configurations(mode)) {
      CudnnEngine engine = engine_of(configuration);
      // The fallback names engines at their default knobs: no news where A or B have chosen knobs for them.
      if (mode == CUDNN_HEUR_MODE_FALLBACK && numbers.contains(engine.number)) continue;
      engine.pass = graph_.pass;
      engine.layout = graph_.layout;
      const std::string id = kernel_id(machine_, engine);
      if (!ids.insert(id).second) continue;
      ++list.listed;
      const CudnnNotes notes = notes_of(configuration);
      if (!is_reproducible(notes) || !is_precise(notes, tf32)) continue;
      CudnnDescriptor plan = unfinished_plan(configuration, id);
      if (!plan.try_finalize()) continue;
      if (mode != CUDNN_HEUR_MODE_FALLBACK) numbers.insert(engine.number);
      list.choices.push_back(
          {id, {plan.value<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE)}, names_of(notes)});
    }
  }
  return list;
}

CudnnPlan CudnnConvolution::plan(const std::string& id) const {
  const CudnnEngine engine = engine_of(machine_, id);
  if (engine.pass != graph_.pass || engine.layout != graph_.layout) {
    throw machine_error(fmt::format("kernel '{}': made for {} in {}, this op is {} in {}", id, engine.pass,
                                    engine.layout, graph_.pass, graph_.layout));
  }
  const CudnnDescriptor configuration = make_configuration(machine_, graph_.graph, engine);
  if (!is_reproducible(notes_of(configuration))) {
    throw machine_error(fmt::format("kernel '{}': this engine doesn't give the same bits every time", id));
  }
  CudnnDescriptor plan = unfinished_plan(configuration, id);
  plan.finalize();
  const Bytes workspace{plan.value<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE)};
  return {std::move(plan), workspace};
}

}  // namespace spillway
