#include "core/compute_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.h"

namespace spillway {

IdVector<Position, OpRun> compute_stream(const Graph& graph, const std::vector<Recompute>& recomputes) {
  std::vector<OpRun> runs;
  for (const OpId op : graph.ops.ids()) runs.push_back({.op = op, .run = 0, .scratch = {}});
  IdVector<OpId, std::uint32_t> next_run(graph.ops.size(), 1);
  for (const Recompute& recompute : recomputes) {
    const std::string& name = graph.ops[recompute.op].name;
    const auto before = std::ranges::find_if(
        runs, [&](const OpRun& run) { return run.op == recompute.before && run.run == recompute.before_run; });
    if (before == runs.end()) {
      throw input_error(fmt::format("recomputation of '{}': there is no run {} of '{}' to run it before", name,
                                    recompute.before_run + 1, graph.ops[recompute.before].name));
    }
    OpRun run{.op = recompute.op, .run = next_run[recompute.op]++, .scratch = {}};
    for (const BufferId buffer : recompute.kept) {
      if (!writes(graph, recompute.op, buffer)) {
        throw input_error(
            fmt::format("recomputation of '{}': it doesn't write '{}'", name, graph.buffers[buffer].name));
      }
    }
    for (const TensorId output : graph.ops[recompute.op].outputs) {
      const BufferId buffer = graph.tensors[output].buffer;
      const auto has = [&](const std::vector<BufferId>& list) { return std::ranges::find(list, buffer) != list.end(); };
      if (!has(recompute.kept) && !has(run.scratch)) run.scratch.push_back(buffer);
    }
    runs.insert(before, std::move(run));
  }
  IdVector<Position, OpRun> stream;
  for (OpRun& run : runs) stream.push_back(std::move(run));
  return stream;
}

IdVector<BufferId, std::vector<Use>> uses(const Graph& graph, const IdVector<Position, OpRun>& stream,
                                          std::int64_t batch) {
  IdVector<BufferId, std::vector<Use>> all(graph.buffers.size());
  for (const Position position : stream.ids()) {
    const OpRun& run = stream[position];
    for (const BufferId buffer : touched(graph, run.op)) {
      const bool scratch = std::ranges::find(run.scratch, buffer) != run.scratch.end();
      const Use use{.position = position,
                    .reads = reads(graph, run.op, buffer, batch),
                    .writes = writes(graph, run.op, buffer) && !scratch};
      if (use.reads || use.writes) all[buffer].push_back(use);
    }
  }
  return all;
}

IdVector<BufferId, Position> arrivals(const Graph& graph, const IdVector<BufferId, std::vector<Use>>& uses) {
  // What belongs to one micro-batch is first used by its first ops.
  std::map<std::int64_t, Position> begins;
  for (const BufferId buffer : graph.buffers.ids()) {
    const std::int64_t pass = graph.buffers[buffer].micro_batch;
    if (pass == 0 || uses[buffer].empty()) continue;
    const Position first = uses[buffer].front().position;
    const auto [begin, is_first] = begins.emplace(pass, first);
    if (!is_first) begin->second = std::min(begin->second, first);
  }
  IdVector<BufferId, Position> arrivals(graph.buffers.size(), Position(std::size_t{0}));
  for (const BufferId buffer : graph.buffers.ids()) {
    const auto before = begins.find(graph.buffers[buffer].micro_batch - 1);
    if (graph.buffers[buffer].role == Role::input && before != begins.end()) arrivals[buffer] = before->second;
  }
  return arrivals;
}

std::vector<Gap> gaps(const Graph& graph, const IdVector<BufferId, std::vector<Use>>& uses, std::size_t positions) {
  std::vector<Gap> found;
  for (const BufferId buffer : graph.buffers.ids()) {
    const std::vector<Use>& list = uses[buffer];
    const Role role = graph.buffers[buffer].role;
    if (list.empty()) continue;
    if (role == Role::input) found.push_back({.buffer = buffer, .after = {}, .before = list.front().position});
    for (std::size_t i = 0; i + 1 < list.size(); ++i) {
      if (list[i + 1].fresh() || list[i + 1].position.value <= list[i].position.value + 1) continue;
      found.push_back({.buffer = buffer, .after = list[i].position, .before = list[i + 1].position});
    }
    if (role == Role::loss) found.push_back({.buffer = buffer, .after = list.back().position, .before = {}});
    if (is_lasting(role) && !list.front().fresh()) {
      // Used at the last and at the first position, it has no position to be gone at.
      if (list.back().position.index() + 1 < positions || list.front().position.index() > 0) {
        found.push_back(
            {.buffer = buffer, .after = list.back().position, .before = list.front().position, .wraps = true});
      }
    }
  }
  return found;
}

}  // namespace spillway
