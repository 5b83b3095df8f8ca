#include "device/cpu/kernels/onednn.h"

#include <fmt/format.h>

#include "core/error.h"
#include "device/cpu/kernel.h"

// Of libgomp, the run-time that oneDNN brings along; its header would need -fopenmp.
extern "C" void omp_set_num_threads(int threads);

namespace spillway {

void report_onednn(const dnnl::error& error, std::string_view kind) {
  throw machine_error(fmt::format("{}: {} for an op of kind '{}' (status {})", cpu_library(), error.what(), kind,
                                  static_cast<int>(error.status)));
}

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::primitive_attr kernel_attributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);  // whatever DNNL_DEFAULT_FPMATH_MODE says
  return attributes;
}

void use_threads(int threads) {
  thread_local int used = 0;
  if (used != threads) omp_set_num_threads(threads);
  used = threads;
}

dnnl::memory::desc channels_last(const Extents& extents, dnnl::memory::data_type type) {
  using Tag = dnnl::memory::format_tag;
  constexpr Tag kTags[] = {Tag::nc, Tag::nwc, Tag::nhwc, Tag::ndhwc};
  SPILLWAY_CHECK(extents.size() >= 2 && extents.size() <= 5, fmt::format("{} extents", extents.size()));
  return {extents, type, kTags[extents.size() - 2]};
}

dnnl::memory::desc canonical(const Extents& extents) {
  Extents strides(extents.size(), 1);
  for (std::size_t i = extents.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * extents[i];
  return {extents, dnnl::memory::data_type::f32, strides};
}

dnnl::memory::desc any_layout(const Extents& extents) {
  return {extents, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

std::string onednn_id(std::string_view implementation, int threads) {
  return fmt::format("{}|{}|{}|threads={}", implementation, cpu_library(), cpu_instruction_set(), threads);
}

std::string loop_id() {
  return "loop|spillway 1|threads=1";
}

std::string cpu_library() {
  const dnnl_version_t& version = *dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", version.major, version.minor, version.patch);
}

std::string cpu_instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41: return "sse41";
    case dnnl::cpu_isa::avx: return "avx";
    case dnnl::cpu_isa::avx2:
    case dnnl::cpu_isa::avx2_vnni: return "avx2";
    // What these add to avx512_core is for int8 and bfloat16; float32 kernels don't use it.
    case dnnl::cpu_isa::avx512_core:
    case dnnl::cpu_isa::avx512_core_vnni:
    case dnnl::cpu_isa::avx512_core_bf16:
    case dnnl::cpu_isa::avx512_core_amx: return "avx512_core";
    default: return fmt::format("isa {}", static_cast<int>(dnnl::get_effective_cpu_isa()));
  }
}

}  // namespace spillway
