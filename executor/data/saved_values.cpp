#include "executor/data/saved_values.h"

#include <algorithm>
#include <set>
#include <variant>

#include "core/error.h"
#include "core/io/safetensors_header.h"
#include "executor/data/initial_values.h"
#include "executor/data/npy.h"

namespace spillway {
namespace {

std::string described(ElementType type, const Extents& extents) {
  return std::string(safetensors_name(type)) + " " + shape_text(extents);
}

/// A list that stays readable: three items and how many more.
std::string listed(const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), kShown); ++i) text += (i > 0 ? ", " : "") + items[i];
  if (items.size() > kShown) text += " and " + std::to_string(items.size() - kShown) + " more";
  return text;
}

}  // namespace

std::vector<BufferId> lasting_buffers(const Graph& graph) {
  std::vector<BufferId> buffers;
  for (const BufferId id : graph.buffers.ids()) {
    if (is_lasting(graph.buffers[id].role) && !graph.buffers[id].copy_of.valid()) buffers.push_back(id);
  }
  return buffers;
}

std::vector<BufferId> weight_buffers(const Graph& graph) {
  std::set<BufferId> buffers;
  for (const BufferId id : graph.buffers.ids()) {
    if (graph.buffers[id].role == Role::parameter) buffers.insert(id);
  }
  for (const Op& op : graph.ops) {
    if (!std::holds_alternative<RunningStatistics>(op.attributes)) continue;
    for (const TensorId output : op.outputs) buffers.insert(graph.tensors[output].buffer);
  }
  return {buffers.begin(), buffers.end()};
}

void save_values(const std::string& path, const Graph& graph, std::span<const BufferValues> values,
                 const Metadata& metadata) {
  std::vector<NamedArray> arrays;
  for (const BufferValues& each : values) {
    LastingArray array = lasting_array(graph, each.buffer);
    arrays.push_back({std::move(array.name), array.type, std::move(array.extents), each.bytes});
  }
  write_safetensors(path, arrays, metadata);
}

void require_values(const SafetensorsFile& file, const Graph& graph, std::span<const BufferId> wanted) {
  std::vector<std::string> lacking, unknown, different;
  for (const BufferId buffer : wanted) {
    const LastingArray array = lasting_array(graph, buffer);
    const NamedArray* found = file.find(array.name);
    if (found == nullptr) {
      lacking.push_back("'" + array.name + "'");
    } else if (found->type != array.type || found->extents != array.extents) {
      different.push_back("'" + array.name + "' is " + described(found->type, found->extents) + ", expected " +
                          described(array.type, array.extents));
    }
  }
  std::set<std::string_view> names;
  for (const BufferId buffer : lasting_buffers(graph)) names.insert(graph.buffers[buffer].name);
  for (const NamedArray& array : file.arrays()) {
    if (!names.contains(array.name)) unknown.push_back("'" + array.name + "'");
  }
  std::string line;
  const auto add = [&line](const std::string& what, const std::vector<std::string>& items) {
    if (!items.empty()) line += (line.empty() ? "" : "; ") + what + listed(items);
  };
  add("lacks ", lacking);
  add("has what '" + graph.name + "' has not: ", unknown);
  add("", different);
  if (!line.empty()) throw input_error(file.path() + ": " + line);
}

std::vector<BufferValues> values_of(const SafetensorsFile& file, const Graph& graph, std::span<const BufferId> wanted) {
  std::vector<BufferValues> values;
  for (const BufferId buffer : wanted) {
    const NamedArray* found = file.find(graph.buffers[buffer].name);
    SPILLWAY_CHECK(
        found != nullptr && found->bytes.size() == static_cast<std::size_t>(bytes(graph.buffers[buffer], 1).value),
        graph.buffers[buffer].name);
    values.push_back({buffer, found->bytes});
  }
  return values;
}

}  // namespace spillway
