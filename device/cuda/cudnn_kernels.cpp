#include "device/cuda/cudnn_kernels.h"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "core/error.h"
#include "device/cuda/bias_gradient.h"
#include "device/cuda/cudnn_convolution.h"
#include "device/cuda/cudnn_handle.h"
#include "device/cuda/known_kernels.h"

namespace spillway {
namespace {

constexpr std::size_t kMostOperands = 4;  // x, weights, bias, y

/// A plan of this process with the variant packs of the places where its operands have been.
class PreparedConvolution {
 public:
  PreparedConvolution(CudnnHandle& handle, const CudnnMachine& machine, const OpDescription& op, std::string id)
      : handle_(handle), id_(std::move(id)) {
    const CudnnConvolution convolution(machine, op);
    operands_ = convolution.operands();
    SPILLWAY_CHECK(operands_.size() <= kMostOperands, id_);
    plan_ = convolution.plan(id_).plan;
  }

  void launch(cudaStream_t stream, const OpPointers& pointers) {
    Addresses addresses{};
    for (std::size_t i = 0; i < operands_.size(); ++i) {
      const CudnnOperand& operand = operands_[i];
      addresses[i] = operand.is_output ? pointers.outputs[operand.index] : pointers.inputs[operand.index];
    }
    addresses.back() = pointers.workspace;
    check_cudnn(cudnnBackendExecute(handle_.on(stream), plan_->get(), pack_for(addresses).get()), "cudnnBackendExecute",
                id_);
  }

 private:
  /// The operands in their order, then, always last, the workspace.
  using Addresses = std::array<const void*, kMostOperands + 1>;

  /// A step puts an op's operands at the same places every time, so after the first step nothing is made here.
  const CudnnDescriptor& pack_for(const Addresses& addresses) {
    const auto found = packs_.find(addresses);
    if (found != packs_.end()) return found->second;
    std::vector<std::int64_t> uids;
    for (const CudnnOperand& operand : operands_) uids.push_back(operand.uid);
    CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "the operands of " + id_);
    pack.set_list<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, uids);
    pack.set_pointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, std::span(addresses).first(uids.size()));
    pack.set_pointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, std::span(addresses).last(1));
    pack.finalize();
    return packs_.emplace(addresses, std::move(pack)).first->second;
  }

  CudnnHandle& handle_;
  std::string id_;
  std::vector<CudnnOperand> operands_;
  std::optional<CudnnDescriptor> plan_;
  std::map<Addresses, CudnnDescriptor> packs_;
};

}  // namespace

class CudnnKernels::Library {
 public:
  Library(const LaunchTable& launches, bool tf32) : machine_(handle_.get()), launches_(launches), tf32_(tf32) {}

  [[nodiscard]] bool lists_tf32() const { return tf32_; }
  [[nodiscard]] const CudnnMachine& machine() const { return machine_; }

  [[nodiscard]] std::vector<CudaKernel> kernels(const OpDescription& op) {
    return known_.of(op, [&] {
      std::vector<CudaKernel> kernels;
      for (const EngineChoice& choice : CudnnConvolution(machine_, op).engines(tf32_).choices) {
        kernels.push_back(with_bias_gradient(op, plain(op, choice.id, choice.workspace), launches_));
      }
      return kernels;
    });
  }

  [[nodiscard]] CudaKernel kernel(const OpDescription& op, const std::string& id) {
    const std::string engine = without_bias_gradient(op, id);
    const Bytes workspace = CudnnConvolution(machine_, op).plan(engine).workspace;
    return with_bias_gradient(op, plain(op, engine, workspace), launches_);
  }

 private:
  CudaKernel plain(const OpDescription& op, const std::string& id, Bytes workspace) {
    return {id, workspace, [this, op, id]() -> Launch {
              prepared_.push_back(std::make_unique<PreparedConvolution>(handle_, machine_, op, id));
              PreparedConvolution& convolution = *prepared_.back();
              return [&convolution](cudaStream_t stream, const OpPointers& operands) {
                convolution.launch(stream, operands);
              };
            }};
  }

  CudnnHandle handle_;
  CudnnMachine machine_;
  const LaunchTable& launches_;
  bool tf32_;
  KnownKernels known_;
  std::vector<std::unique_ptr<PreparedConvolution>> prepared_;
};

CudnnKernels::CudnnKernels(const LaunchTable& launches, bool tf32)
    : library_(std::make_unique<Library>(launches, tf32)) {}

CudnnKernels::~CudnnKernels() = default;

bool CudnnKernels::lists_tf32() const {
  return library_->lists_tf32();
}

std::vector<CudaKernel> CudnnKernels::kernels(const OpDescription& op) {
  if (!is_cudnn_convolution(op)) return {};
  return library_->kernels(op);
}

std::optional<CudaKernel> CudnnKernels::kernel(const OpDescription& op, const std::string& id) {
  if (!is_cudnn_convolution(op) || !id.starts_with("cudnn ")) return std::nullopt;
  return library_->kernel(op, id);
}

const std::string& CudnnKernels::device_properties() const {
  return library_->machine().properties_json();
}

}  // namespace spillway
