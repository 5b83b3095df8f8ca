#include "device/cuda/cudnn_machine.h"

#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {
namespace {

CudnnDescriptor make_properties() {
  return {CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "the device properties"};
}

/// The whole number that follows `key` in a flat JSON object whose syntax cuDNN has accepted.
std::int64_t number_of(const std::string& json, const std::string& key) {
  const std::size_t at = json.find('"' + key + '"');
  const std::size_t digits = at == std::string::npos ? at : json.find_first_of("0123456789", at + key.size() + 2);
  std::int64_t number = 0;
  if (digits == std::string::npos ||
      std::from_chars(json.data() + digits, json.data() + json.size(), number).ec != std::errc()) {
    throw machine_error(fmt::format("cuDNN device properties: found no number '{}'", key));
  }
  return number;
}

std::string name_of(const std::string& json) {
  // cuDNN writes compute capability 9.0 as 900 and 12.1 as 1210.
  return fmt::format("cudnn {}|sm_{}x{}", cudnn_version(), number_of(json, "deviceVer") / 10,
                     number_of(json, "multiProcessorCount"));
}

}  // namespace

std::string cudnn_version() {
  const std::size_t version = cudnnGetVersion();  // 9.19.0 is 91900, as in CUDNN_VERSION
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

CudnnMachine::CudnnMachine(const std::string& properties_json)
    : properties_(make_properties()), json_(properties_json) {
  properties_.set_list<char>(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, json_);
  properties_.finalize();
  name_ = name_of(json_);
}

CudnnMachine::CudnnMachine(cudnnHandle_t handle) : handle_(handle), properties_(make_properties()) {
  properties_.set(CUDNN_ATTR_DEVICEPROP_HANDLE, handle_);
  properties_.finalize();
  json_ = properties_.text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION);
  name_ = name_of(json_);
}

void CudnnMachine::describe_to_graph(CudnnDescriptor& graph) const {
  if (handle_) graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle_);
}

void CudnnMachine::describe_to_heuristic(CudnnDescriptor& heuristic) const {
  if (!handle_) heuristic.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, properties_);
}

void CudnnMachine::describe_to_engine(CudnnDescriptor& engine) const {
  if (!handle_) engine.set(CUDNN_ATTR_ENGINE_DEVICEPROP, properties_);
}

void CudnnMachine::describe_to_plan(CudnnDescriptor& plan) const {
  if (handle_) {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle_);
  } else {
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, properties_);
  }
}

}  // namespace spillway
