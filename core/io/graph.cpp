#include <fmt/format.h>

#include "core/error.h"
#include "core/io/parts.h"

namespace spillway {
namespace {

constexpr std::pair<Role, std::string_view> kRoles[] = {{Role::input, "input"},
                                                        {Role::parameter, "parameter"},
                                                        {Role::gradient, "gradient"},
                                                        {Role::activation, "activation"},
                                                        {Role::optimizer_state, "optimizer_state"},
                                                        {Role::state, "state"},
                                                        {Role::workspace, "workspace"},
                                                        {Role::loss, "loss"}};
constexpr std::pair<ElementType, std::string_view> kTypes[] = {{ElementType::float32, "float32"},
                                                               {ElementType::int32, "int32"},
                                                               {ElementType::int64, "int64"},
                                                               {ElementType::uint8, "uint8"}};
constexpr std::pair<Phase, std::string_view> kPhases[] = {
    {Phase::forward, "forward"}, {Phase::backward, "backward"}, {Phase::update, "update"}};
constexpr std::pair<Initializer::Kind, std::string_view> kInitializers[] = {{Initializer::Kind::constant, "constant"},
                                                                            {Initializer::Kind::uniform, "uniform"}};

Buffer buffer_from_json(const JsonNode& node) {
  node.only({"name", "role", "bytes_fixed", "bytes_per_sample", "initializer"});
  Buffer buffer{.name = node.at("name").string(),
                .role = enumerator(node.at("role"), kRoles),
                .bytes_fixed = node.at("bytes_fixed").bytes(),
                .bytes_per_sample = node.at("bytes_per_sample").bytes(),
                .initializer = {}};
  if (const auto initializer = node.find("initializer")) {
    initializer->only({"kind", "value"});
    buffer.initializer = {.kind = enumerator(initializer->at("kind"), kInitializers),
                          .value = initializer->at("value").number()};
  }
  return buffer;
}

}  // namespace

GraphNames::GraphNames(const Graph& graph) {
  for (const OpId id : graph.ops.ids()) ops_.emplace(graph.ops[id].name, id.index());
  for (const BufferId id : graph.buffers.ids()) buffers_.emplace(graph.buffers[id].name, id.index());
  for (const TensorId id : graph.tensors.ids()) tensors_.emplace(graph.tensors[id].name, id.index());
}

std::size_t GraphNames::index(const JsonNode& node, const Names& names, const char* what, const std::string* text) {
  const std::string name = text ? *text : node.string();
  const auto found = names.find(name);
  if (found != names.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, value] : names) known.push_back(key);
  const std::string near = nearest_name(name, known);
  node.fail(fmt::format("the name of a{} {}", what[0] == 'o' ? "n" : "", what),
            near.empty() ? "" : fmt::format("did you mean '{}'?", near));
}

std::pair<OpId, std::uint32_t> GraphNames::run(const JsonNode& node) const {
  const std::string text = node.string();
  const std::size_t hash = text.rfind('#');
  if (hash == std::string::npos || ops_.contains(text)) return {op(node), 0};
  const std::string name = text.substr(0, hash);
  const std::string number = text.substr(hash + 1);
  if (number.empty() || number.size() > 6 || number.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(number) < 2) {
    node.fail("the name of an op, with '#2' behind it for its second run");
  }
  return {OpId(index(node, ops_, "op", &name)), static_cast<std::uint32_t>(std::stoi(number) - 1)};
}

OrderedJson graph_to_json(const Graph& graph) {
  OrderedJson json{{"name", graph.name}, {"layout", spelling(graph.layout, kLayouts)}};
  OrderedJson& buffers = json["buffers"] = OrderedJson::array();
  for (const Buffer& buffer : graph.buffers) {
    OrderedJson item{{"name", buffer.name},
                     {"role", spelling(buffer.role, kRoles)},
                     {"bytes_fixed", buffer.bytes_fixed.value},
                     {"bytes_per_sample", buffer.bytes_per_sample.value}};
    if (buffer.initializer) {
      item["initializer"] = {{"kind", spelling(buffer.initializer->kind, kInitializers)},
                             {"value", buffer.initializer->value}};
    }
    buffers.push_back(std::move(item));
  }
  OrderedJson& tensors = json["tensors"] = OrderedJson::array();
  for (const Tensor& tensor : graph.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"buffer", graph.buffers[tensor.buffer].name},
                       {"offset_bytes", tensor.offset.value},
                       {"type", spelling(tensor.type, kTypes)},
                       {"batched", tensor.batched},
                       {"extents", tensor.extents}});
  }
  OrderedJson& ops = json["ops"] = OrderedJson::array();
  for (const Op& op : graph.ops) {
    OrderedJson inputs = OrderedJson::array(), outputs = OrderedJson::array();
    for (const TensorId t : op.inputs) inputs.push_back(graph.tensors[t].name);
    for (const TensorId t : op.outputs) outputs.push_back(graph.tensors[t].name);
    ops.push_back({{"name", op.name},
                   {"phase", spelling(op.phase, kPhases)},
                   {"attributes", attributes_to_json(op.attributes)},
                   {"inputs", std::move(inputs)},
                   {"outputs", std::move(outputs)},
                   {"recomputable", op.recomputable},
                   {"flops_fixed", op.flops_fixed},
                   {"flops_per_sample", op.flops_per_sample}});
  }
  return json;
}

Graph graph_from_json(const JsonNode& node) {
  node.only({"name", "layout", "buffers", "tensors", "ops"});
  Graph graph;
  graph.name = node.at("name").string();
  graph.layout = enumerator(node.at("layout"), kLayouts);
  for (const JsonNode& item : node.at("buffers").items()) graph.buffers.push_back(buffer_from_json(item));
  const GraphNames buffers(graph);
  for (const JsonNode& item : node.at("tensors").items()) {
    item.only({"name", "buffer", "offset_bytes", "type", "batched", "extents"});
    graph.tensors.push_back({.name = item.at("name").string(),
                             .buffer = buffers.buffer(item.at("buffer")),
                             .offset = item.at("offset_bytes").bytes(),
                             .type = enumerator(item.at("type"), kTypes),
                             .batched = item.at("batched").boolean(),
                             .extents = item.at("extents").integers(1)});
  }
  const GraphNames tensors(graph);
  for (const JsonNode& item : node.at("ops").items()) {
    item.only({"name", "phase", "attributes", "inputs", "outputs", "recomputable", "flops_fixed", "flops_per_sample"});
    Op op{.name = item.at("name").string(),
          .attributes = attributes_from_json(item.at("attributes")),
          .inputs = {},
          .outputs = {},
          .phase = enumerator(item.at("phase"), kPhases),
          .recomputable = item.at("recomputable").boolean(),
          .flops_fixed = item.at("flops_fixed").not_negative(),
          .flops_per_sample = item.at("flops_per_sample").not_negative()};
    for (const JsonNode& input : item.at("inputs").items()) op.inputs.push_back(tensors.tensor(input));
    for (const JsonNode& output : item.at("outputs").items()) op.outputs.push_back(tensors.tensor(output));
    graph.ops.push_back(std::move(op));
  }
  const std::vector<std::string> found = mistakes(graph);
  if (!found.empty()) node.fail_with(found.front());
  return graph;
}

}  // namespace spillway
