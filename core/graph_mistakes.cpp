#include <fmt/format.h>

#include <set>
#include <string>

#include "core/graph.h"

namespace spillway {
namespace {

template <class Ids>
void find_double_names(const char* what, const Ids& items, std::vector<std::string>& found) {
  std::set<std::string> names;
  for (const auto& item : items) {
    if (item.name.empty()) found.push_back(fmt::format("a{} {} has no name", what[0] == 'o' ? "n" : "", what));
    if (!names.insert(item.name).second) found.push_back(fmt::format("{} '{}' is there twice", what, item.name));
  }
}

}  // namespace

std::vector<std::string> mistakes(const Graph& graph) {
  std::vector<std::string> found;
  find_double_names("buffer", graph.buffers, found);
  find_double_names("tensor", graph.tensors, found);
  find_double_names("op", graph.ops, found);
  for (const Buffer& buffer : graph.buffers) {
    if (buffer.bytes_fixed.value < 0 || buffer.bytes_per_sample.value < 0 || bytes(buffer, 1).value == 0) {
      found.push_back(fmt::format("buffer '{}' has no bytes or fewer", buffer.name));
    }
  }
  for (const Tensor& tensor : graph.tensors) {
    if (!tensor.buffer.valid() || tensor.buffer.index() >= graph.buffers.size()) {
      found.push_back(fmt::format("tensor '{}' is in no buffer", tensor.name));
      continue;
    }
    for (const std::int64_t batch : {1, 2}) {
      const Bytes room = bytes(graph.buffers[tensor.buffer], batch);
      if (tensor.offset.value < 0 || tensor.offset + bytes(tensor, batch) > room) {
        found.push_back(fmt::format("tensor '{}' ends behind its buffer '{}': at {} + {} of {} bytes at batch {}",
                                    tensor.name, graph.buffers[tensor.buffer].name, tensor.offset.value,
                                    bytes(tensor, batch).value, room.value, batch));
        break;
      }
    }
  }
  if (!found.empty()) return found;  // the rest follows ids

  IdVector<BufferId, bool> written(graph.buffers.size(), false);
  for (const BufferId id : graph.buffers.ids()) {
    const Role role = graph.buffers[id].role;
    written[id] = is_lasting(role) || role == Role::input;
  }
  for (const OpId op : graph.ops.ids()) {
    for (const BufferId buffer : touched(graph, op)) {
      const Buffer& touched_buffer = graph.buffers[buffer];
      if (writes(graph, op, buffer) && touched_buffer.role == Role::input) {
        found.push_back(fmt::format("op '{}' writes the input '{}'", graph.ops[op].name, touched_buffer.name));
      }
      const bool whole = writes(graph, op, buffer) && !reads(graph, op, buffer, 1);
      if (!written[buffer] && !whole) {
        found.push_back(
            fmt::format("op '{}' reads '{}' before anything wrote it", graph.ops[op].name, touched_buffer.name));
      }
      written[buffer] = true;
    }
  }
  return found;
}

}  // namespace spillway
