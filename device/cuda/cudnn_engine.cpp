#include "device/cuda/cudnn_engine.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "core/error.h"
#include "device/cuda/kernel_id.h"

namespace spillway {
namespace {

// By their numbers. Versions of cuDNN know more or fewer: 9.10 ends before cublaslt_dependency.
constexpr auto kNumericalNotes = std::to_array<std::string_view>(
    {"tensor_core", "down_convert_inputs", "reduced_precision_reduction", "fft", "nondeterministic", "winograd",
     "winograd_tile_4x4", "winograd_tile_6x6", "winograd_tile_13x13", "strict_nan_prop"});
constexpr auto kBehaviorNotes = std::to_array<std::string_view>(
    {"runtime_compilation", "requires_filter_int8x32_reorder", "requires_bias_int8x32_reorder",
     "supports_cuda_graph_native_api", "cublaslt_dependency"});

/// Reads "fprop engine 70 knobs 2=1,5=3"; nothing when it reads otherwise.
std::optional<CudnnEngine> read_engine(std::string_view text) {
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.size() != 5 || words[1] != "engine" || words[3] != "knobs") return std::nullopt;
  const std::optional<std::int64_t> number = whole_number(words[2]);
  if (words[0].empty() || !number) return std::nullopt;
  CudnnEngine engine{.pass = std::string(words[0]), .number = *number, .knobs = {}, .layout = {}};
  if (words[4] == "-") return engine;
  for (const std::string_view knob : split(words[4], ',')) {
    const std::size_t equals = knob.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::optional<std::int64_t> type = whole_number(knob.substr(0, equals)),
                                      choice = whole_number(knob.substr(equals + 1));
    if (!type || !choice) return std::nullopt;
    engine.knobs.emplace_back(*type, *choice);
  }
  return engine;
}

CudnnDescriptor engine_descriptor(const CudnnDescriptor& configuration) {
  return std::move(configuration.children(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1).at(0));
}

}  // namespace

std::string kernel_id(const CudnnMachine& machine, const CudnnEngine& engine) {
  std::string knobs;
  for (const auto& [type, choice] : engine.knobs) {
    knobs += fmt::format("{}{}={}", knobs.empty() ? "" : ",", type, choice);
  }
  return fmt::format("{}|{} engine {} knobs {}|{}", machine.name(), engine.pass, engine.number,
                     knobs.empty() ? "-" : knobs, engine.layout);
}

CudnnEngine engine_of(const CudnnMachine& machine, const std::string& id) {
  const std::vector<std::string_view> parts = split(id, '|');
  std::optional<CudnnEngine> engine;
  if (parts.size() == 4 && parts[0].starts_with("cudnn ")) engine = read_engine(parts[2]);
  if (!engine) {
    throw machine_error(
        fmt::format("kernel '{}': expected one of cuDNN's, as 'cudnn VERSION|sm_CAPABILITYxCOUNT|PASS "
                    "engine NUMBER knobs TYPE=CHOICE,...|LAYOUT'",
                    id));
  }
  refuse_other_machine(id, parts, machine.name());
  engine->layout = parts[3];
  return *engine;
}

CudnnEngine engine_of(const CudnnDescriptor& configuration) {
  CudnnEngine engine;
  engine.number = engine_descriptor(configuration).value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
  for (const CudnnDescriptor& choice : configuration.children(
           CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, CUDNN_KNOB_TYPE_COUNTS)) {
    engine.knobs.emplace_back(choice.value<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE),
                              choice.value<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE));
  }
  std::sort(engine.knobs.begin(), engine.knobs.end());
  return engine;
}

CudnnDescriptor make_configuration(const CudnnMachine& machine, const CudnnDescriptor& graph,
                                   const CudnnEngine& engine) {
  const std::string name = fmt::format("{} engine {}", engine.pass, engine.number);
  CudnnDescriptor descriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, name);
  descriptor.set(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph);
  descriptor.set(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, engine.number);
  machine.describe_to_engine(descriptor);
  descriptor.finalize();

  std::vector<CudnnDescriptor> choices;
  for (const auto& [type, choice] : engine.knobs) {
    CudnnDescriptor& knob =
        choices.emplace_back(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, fmt::format("knob {} of {}", type, name));
    knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, static_cast<cudnnBackendKnobType_t>(type));
    knob.set(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, choice);
    knob.finalize();
  }
  CudnnDescriptor configuration(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "the configuration of " + name);
  configuration.set(CUDNN_ATTR_ENGINECFG_ENGINE, descriptor);
  if (!choices.empty()) configuration.set_children(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, choices);
  configuration.finalize();
  return configuration;
}

bool CudnnNotes::has(cudnnBackendNumericalNote_t note) const {
  return std::find(numerical.begin(), numerical.end(), note) != numerical.end();
}

bool CudnnNotes::has(cudnnBackendBehaviorNote_t note) const {
  return std::find(behavior.begin(), behavior.end(), note) != behavior.end();
}

CudnnNotes notes_of(const CudnnDescriptor& configuration) {
  const CudnnDescriptor engine = engine_descriptor(configuration);
  return {engine.values<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT),
          engine.values<cudnnBackendBehaviorNote_t>(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_BEHAVIOR_NOTE_TYPE_COUNT)};
}

std::vector<std::string> names_of(const CudnnNotes& notes) {
  std::vector<std::string> names;
  // A later version of the library may have notes that this one's header doesn't name.
  const auto name = [](const auto& table, std::size_t note) {
    return note < table.size() ? std::string(table[note]) : fmt::format("note {}", note);
  };
  for (const auto note : notes.numerical) names.push_back(name(kNumericalNotes, static_cast<std::size_t>(note)));
  for (const auto note : notes.behavior) names.push_back(name(kBehaviorNotes, static_cast<std::size_t>(note)));
  return names;
}

}  // namespace spillway
