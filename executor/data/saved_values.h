#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/graph.h"
#include "executor/data/safetensors.h"

namespace spillway {

/// The bytes of a lasting buffer; it doesn't own them.
struct BufferValues {
  BufferId buffer;
  std::span<const std::byte> bytes;
};

/// A graph's lasting buffers, by id, without the copies that later micro-batches have: how often a training goes
/// through the network before an update is no part of what it has learned.
[[nodiscard]] std::vector<BufferId> lasting_buffers(const Graph& graph);
/// Those of them that make up the trained network: parameters and running statistics. By id.
[[nodiscard]] std::vector<BufferId> weight_buffers(const Graph& graph);

/// Writes buffers under their names and logical shapes, atomically.
/// Requires: each is lasting, given once, with all its bytes. Throws as write_file_atomically does.
void save_values(const std::string& path, const Graph& graph, std::span<const BufferValues> values,
                 const Metadata& metadata);

/// Says in one line what of `file` doesn't fit the buffers `wanted`: names it lacks, names the graph lacks (lasting
/// buffers that aren't wanted are fine), other types or shapes. Throws it as Error (exit 2); returns when all is as
/// wanted.
void require_values(const SafetensorsFile& file, const Graph& graph, std::span<const BufferId> wanted);

/// The buffers' bytes in a file that require_values let pass; they live as long as `file`.
[[nodiscard]] std::vector<BufferValues> values_of(const SafetensorsFile& file, const Graph& graph,
                                                  std::span<const BufferId> wanted);

}  // namespace spillway
