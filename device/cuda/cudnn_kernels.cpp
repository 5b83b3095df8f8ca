#include "device/cuda/cudnn_kernels.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "device/cuda/cudnn_convolution.h"
#include "device/cuda/cudnn_handle.h"
#include "device/cuda/elements/sequence.h"

namespace spillway {
namespace {

// The version goes up when the bits change.
constexpr std::string_view kThenBias = " + channel sums|spillway 1";
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

bool has_bias_gradient(const OpDescription& op) {
  return std::holds_alternative<ConvolutionBackwardWeights>(op.attributes) && op.outputs.size() > 1;
}

/// Adds up dy over batch and space.
ElementSequence bias_gradient(const OpDescription& op) {
  ElementSequence sequence;
  add_bias_gradient(sequence, tensor_grid(op.inputs[1].extents, op.layout));
  return sequence;
}

}  // namespace

class CudnnKernels::Library {
 public:
  Library(const LaunchTable& launches, bool tf32) : machine_(handle_.get()), launches_(launches), tf32_(tf32) {}

  [[nodiscard]] const CudnnMachine& machine() const { return machine_; }

  /// Asks cuDNN, which takes tens of milliseconds, once for each description.
  [[nodiscard]] const std::vector<CudaKernel>& kernels(const OpDescription& op) {
    const auto is_same = [&op](const Known& known) { return known.op == op; };
    const auto known = std::find_if(known_.begin(), known_.end(), is_same);
    if (known != known_.end()) return known->kernels;
    std::vector<CudaKernel> kernels;
    for (const EngineChoice& choice : CudnnConvolution(machine_, op).engines(tf32_).choices) {
      kernels.push_back(with_bias_gradient(op, plain(op, choice.id, choice.workspace)));
    }
    return known_.emplace_back(op, std::move(kernels)).kernels;
  }

  [[nodiscard]] CudaKernel kernel(const OpDescription& op, const std::string& id) {
    const std::string engine = has_bias_gradient(op) ? id.substr(0, id.find(" + ")) : id;
    CudaKernel kernel =
        with_bias_gradient(op, plain(op, engine, CudnnConvolution(machine_, op).plan(engine).workspace));
    if (kernel.id != id) {
      throw machine_error(
          fmt::format("kernel '{}': this op has '{}'; record the trace again with 'spillway profile'", id, kernel.id));
    }
    return kernel;
  }

 private:
  struct Known {
    Known(OpDescription description, std::vector<CudaKernel> all)
        : op(std::move(description)), kernels(std::move(all)) {}
    OpDescription op;
    std::vector<CudaKernel> kernels;
  };

  CudaKernel plain(const OpDescription& op, const std::string& id, Bytes workspace) {
    return {id, workspace, [this, op, id]() -> Launch {
              prepared_.push_back(std::make_unique<PreparedConvolution>(handle_, machine_, op, id));
              PreparedConvolution& convolution = *prepared_.back();
              return [&convolution](cudaStream_t stream, const OpPointers& operands) {
                convolution.launch(stream, operands);
              };
            }};
  }

  CudaKernel with_bias_gradient(const OpDescription& op, CudaKernel kernel) {
    if (!has_bias_gradient(op)) return kernel;
    ElementSequence sums = bias_gradient(op);
    const Bytes workspace = std::max(kernel.workspace, sums.workspace());  // one after the other
    const auto prepare = [weights = std::move(kernel.prepare), sums = std::move(sums),
                          &launches = launches_]() -> Launch {
      return [weights = weights(), sums, &launches](cudaStream_t stream, const OpPointers& operands) {
        weights(stream, operands);
        sums.launch({launches, stream, operands});
      };
    };
    return {kernel.id + std::string(kThenBias), workspace, prepare};
  }

  CudnnHandle handle_;
  CudnnMachine machine_;
  const LaunchTable& launches_;
  bool tf32_;
  std::vector<Known> known_;
  std::vector<std::unique_ptr<PreparedConvolution>> prepared_;
};

CudnnKernels::CudnnKernels(const LaunchTable& launches, bool tf32)
    : library_(std::make_unique<Library>(launches, tf32)) {}

CudnnKernels::~CudnnKernels() = default;

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
