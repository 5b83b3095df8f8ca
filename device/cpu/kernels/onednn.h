#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/attributes.h"

namespace spillway {

/// The error (exit 3) for a oneDNN call that failed on behalf of an op of this kind.
[[noreturn]] void report_onednn(const dnnl::error& error, std::string_view kind);

/// Every oneDNN call that can fail runs inside this: its exception becomes Error (exit 3) that names call and op kind.
template <class Call>
auto checked(std::string_view kind, Call&& call) {
  try {
    return std::forward<Call>(call)();
  } catch (const dnnl::error& error) {
    report_onednn(error, kind);
  }
}

/// The one CPU engine; engines hold no state that a run changes.
[[nodiscard]] const dnnl::engine& cpu_engine();
/// Strict float32, and the scratchpad given by the caller.
[[nodiscard]] dnnl::primitive_attr kernel_attributes();

/// Sets how many OpenMP threads oneDNN uses when called from this thread. Each thread has its own team, and primitives
/// remember the count they were chosen with, so this comes before choosing, building and running.
void use_threads(int threads);

/// [N, channels, space...] channels-last and unpadded, or [N, channels]. Requires: two to five extents.
[[nodiscard]] dnnl::memory::desc channels_last(const Extents& extents,
                                               dnnl::memory::data_type type = dnnl::memory::data_type::f32);
/// In the order of the extents, the last one contiguous.
[[nodiscard]] dnnl::memory::desc canonical(const Extents& extents);
/// Laid out as the primitive likes best.
[[nodiscard]] dnnl::memory::desc any_layout(const Extents& extents);

/// The kernel id of a oneDNN implementation.
[[nodiscard]] std::string onednn_id(std::string_view implementation, int threads);
/// The kernel id of our own loops. They are sequential, whatever the thread count, and carry a version of ours that
/// goes up when their bits change.
[[nodiscard]] std::string loop_id();

/// Calls `use` with the descriptor of each implementation, in oneDNN's order, each name once.
/// The op descriptor that `choice` was made from must outlive this call: oneDNN 2.6 looks into it again for the next
/// one.
template <class PrimitiveDescriptor, class Use>
void for_each_implementation(PrimitiveDescriptor choice, Use&& use) {
  if (!choice) return;  // made with allow_empty, and there is none
  std::set<std::string> seen;
  do {
    if (seen.insert(choice.impl_info_str()).second) use(std::as_const(choice));
  } while (choice.next_impl());
}

}  // namespace spillway
