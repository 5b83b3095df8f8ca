#include <fmt/format.h>

#include <algorithm>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/topological_sort.hpp>
#include <utility>

#include "core/error.h"
#include "core/graph.h"

namespace spillway {

IdVector<OpId, std::vector<OpId>> dependences(const Graph& graph, std::int64_t batch) {
  struct History {
    OpId writer;
    std::vector<OpId> readers;  // since the last write
  };
  IdVector<BufferId, History> history(graph.buffers.size());
  IdVector<OpId, std::vector<OpId>> edges(graph.ops.size());
  for (const OpId op : graph.ops.ids()) {
    std::vector<OpId>& before = edges[op];
    for (const BufferId buffer : touched(graph, op)) {
      History& past = history[buffer];
      const bool write = writes(graph, op, buffer);
      if (past.writer.valid()) before.push_back(past.writer);
      if (write) before.insert(before.end(), past.readers.begin(), past.readers.end());
      if (write) past = {.writer = op, .readers = {}};
      if (!write || reads(graph, op, buffer, batch)) past.readers.push_back(op);
    }
    std::ranges::sort(before);
    before.erase(std::unique(before.begin(), before.end()), before.end());
    std::erase(before, op);
  }
  return edges;
}

IdVector<OpId, std::uint32_t> levels(const Graph& graph, const IdVector<OpId, std::vector<OpId>>& edges) {
  using Digraph = boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                                     boost::no_property, std::uint32_t, std::uint32_t>;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;  // from an op to what it waits for
  for (const OpId op : edges.ids()) {
    for (const OpId before : edges[op]) pairs.emplace_back(op.value, before.value);
  }
  std::ranges::sort(pairs);
  const Digraph digraph(boost::edges_are_sorted, pairs.begin(), pairs.end(), static_cast<std::uint32_t>(edges.size()));
  std::vector<std::uint32_t>
      order;  // every op after all that it waits for: edges point back, and the sort gives reverse order
  order.reserve(edges.size());
  try {
    boost::topological_sort(digraph, std::back_inserter(order));
  } catch (const boost::not_a_dag&) {
    // Kahn's rest: what never becomes free is on a cycle or waits for one.
    std::vector<bool> free(edges.size(), false);
    for (bool moved = true; moved;) {
      moved = false;
      for (const OpId op : edges.ids()) {
        if (free[op.index()] || !std::ranges::all_of(edges[op], [&](OpId b) { return free[b.index()]; })) continue;
        free[op.index()] = moved = true;
      }
    }
    std::string names;
    for (const OpId op : edges.ids()) {
      if (!free[op.index()]) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", graph.ops[op].name);
    }
    throw input_error(fmt::format("the graph '{}' has a cycle among ops {}", graph.name, names));
  }
  IdVector<OpId, std::uint32_t> level(edges.size(), 0);
  for (const std::uint32_t index : order) {
    const OpId op{std::size_t{index}};
    for (const OpId before : edges[op]) level[op] = std::max(level[op], level[before] + 1);
  }
  return level;
}

}  // namespace spillway
