#pragma once

#include <optional>
#include <string>

#include "core/platform.h"
#include "core/trace.h"

namespace spillway {

/// A trace with the op times of another GPU, and where those come from.
struct Transferred {
  Trace trace;
  std::string how;  ///< for people: `measured on ...`, `scaled ...`, `assumed ...`
};

/// What ops would take on the platform's GPU.
///
/// The platform names no GPU, or the traced one: as measured. The trace names its GPU: each op's time is scaled by the
/// roofline max(flops / F, bytes / W) of the new GPU over that of the measured one, so that the measured efficiency is
/// carried over. The trace names none (it was recorded on a CPU): nothing is known about how well the GPU runs these
/// ops; they are taken to reach `assumed_efficiency` of its roofline, with its measured memory rate where there is one,
/// and 5 us to issue. F is the FP32 rate. The cost to issue isn't scaled; workspaces stay those of the traced kernels.
[[nodiscard]] Transferred transferred(const Trace& trace, const Platform& platform);

/// The roofline of an op on a GPU: seconds that it takes at least.
[[nodiscard]] Seconds roofline(const Gpu& gpu, double flops, Bytes moved);

}  // namespace spillway
