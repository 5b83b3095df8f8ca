#include "compile/recompute.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/error.h"

namespace spillway {
namespace {

using Value = std::size_t;

/// Numbers values: equal op, output and values read give the equal number.
class Values {
 public:
  Value of(OpId op, BufferId buffer, const std::vector<Value>& read) {
    std::vector<std::size_t> key{op.index(), buffer.index()};
    key.insert(key.end(), read.begin(), read.end());
    return numbers_.emplace(std::move(key), numbers_.size() + first_).first->second;
  }
  explicit Values(std::size_t first) : first_(first) {}

 private:
  std::size_t first_;
  std::map<std::vector<std::size_t>, Value> numbers_;
};

}  // namespace

void check_recomputations(const Graph& graph, const IdVector<Position, OpRun>& stream, std::int64_t batch) {
  if (stream.size() == graph.ops.size()) return;  // nothing runs twice
  Values values(graph.buffers.size());
  const auto run_op = [&](IdVector<BufferId, Value>& current, const OpRun& run) {
    std::vector<BufferId> read_buffers;
    std::vector<Value> read;
    for (const BufferId buffer : touched(graph, run.op)) {
      if (!reads(graph, run.op, buffer, batch)) continue;
      read_buffers.push_back(buffer);
      read.push_back(current[buffer]);
    }
    for (const BufferId buffer : touched(graph, run.op)) {
      if (!writes(graph, run.op, buffer)) continue;
      const bool scratch = std::ranges::find(run.scratch, buffer) != run.scratch.end();
      if (scratch && reads(graph, run.op, buffer, batch)) {
        throw input_error(
            fmt::format("recomputation of '{}': it changes '{}' in place, so that must be among what it keeps",
                        graph.ops[run.op].name, graph.buffers[buffer].name));
      }
      if (!scratch) current[buffer] = values.of(run.op, buffer, read);
    }
    return std::pair(read_buffers, read);
  };
  IdVector<BufferId, Value> plain(graph.buffers.size());
  for (const BufferId buffer : graph.buffers.ids()) plain[buffer] = buffer.index();
  IdVector<BufferId, Value> current = plain;
  IdVector<OpId, std::vector<Value>> expected(graph.ops.size());
  for (const OpId op : graph.ops.ids()) expected[op] = run_op(plain, {.op = op, .run = 0, .scratch = {}}).second;
  for (const OpRun& run : stream) {
    const std::string& name = graph.ops[run.op].name;
    if (run.run > 0 && !graph.ops[run.op].recomputable) {
      throw input_error(fmt::format("recomputation of '{}': this op may not be run again", name));
    }
    const auto [buffers, read] = run_op(current, run);
    for (std::size_t i = 0; i < read.size(); ++i) {
      if (read[i] == expected[run.op][i]) continue;
      throw input_error(
          fmt::format("recomputation: run {} of '{}' would read another value of '{}' than the step without it",
                      run.run + 1, name, graph.buffers[buffers[i]].name));
    }
  }
  for (const BufferId buffer : graph.buffers.ids()) {
    if (is_lasting(graph.buffers[buffer].role) && current[buffer] != plain[buffer]) {
      throw input_error(
          fmt::format("recomputation: '{}' would end the step with another value", graph.buffers[buffer].name));
    }
  }
}

}  // namespace spillway
