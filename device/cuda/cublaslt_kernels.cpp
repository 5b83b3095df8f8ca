#include "device/cuda/cublaslt_kernels.h"

#include <utility>

#include "device/cuda/bias_gradient.h"
#include "device/cuda/cublaslt_product.h"
#include "device/cuda/known_kernels.h"

namespace spillway {

class CublasLtKernels::Library {
 public:
  Library(const LaunchTable& launches, bool tf32) : launches_(launches), tf32_(tf32) {}

  [[nodiscard]] bool lists_tf32() const { return tf32_; }
  [[nodiscard]] std::vector<CudaKernel> kernels(const OpDescription& op, const MatrixProduct& product) {
    return known_.of(op, [&] {
      std::vector<CudaKernel> kernels;
      if (tf32_) list(op, product, true, kernels);
      list(op, product, false, kernels);
      return kernels;
    });
  }

  [[nodiscard]] CudaKernel kernel(const OpDescription& op, const MatrixProduct& product, const std::string& id) {
    const std::string algorithm = without_bias_gradient(op, id);
    const bool tf32 = algorithm_of(machine_, algorithm).tf32;
    const Bytes workspace = CublasLtProduct(machine_, product, tf32).plan(algorithm).workspace;
    return with_bias_gradient(op, plain(product, algorithm, workspace), launches_);
  }

 private:
  struct Prepared {
    CublasLtProduct product;
    CublasLtPlan plan;
    std::string id;
  };

  void list(const OpDescription& op, const MatrixProduct& product, bool tf32, std::vector<CudaKernel>& kernels) {
    for (const CublasLtChoice& choice : CublasLtProduct(machine_, product, tf32).choices()) {
      kernels.push_back(with_bias_gradient(op, plain(product, choice.id, choice.workspace), launches_));
    }
  }

  CudaKernel plain(const MatrixProduct& product, const std::string& id, Bytes workspace) {
    return {id, workspace, [this, product, id]() -> Launch {
              CublasLtProduct described(machine_, product, algorithm_of(machine_, id).tf32);
              const CublasLtPlan plan = described.plan(id);
              prepared_.push_back(std::make_unique<Prepared>(Prepared{std::move(described), plan, id}));
              Prepared& prepared = *prepared_.back();
              return [&prepared](cudaStream_t stream, const OpPointers& operands) {
                prepared.product.launch(prepared.plan, stream, operands, prepared.id);
              };
            }};
  }

  CublasLtMachine machine_;
  const LaunchTable& launches_;
  bool tf32_;
  KnownKernels known_;
  std::vector<std::unique_ptr<Prepared>> prepared_;
};

CublasLtKernels::CublasLtKernels(const LaunchTable& launches, bool tf32)
    : library_(std::make_unique<Library>(launches, tf32)) {}

CublasLtKernels::~CublasLtKernels() = default;

bool CublasLtKernels::lists_tf32() const {
  return library_->lists_tf32();
}

std::vector<CudaKernel> CublasLtKernels::kernels(const OpDescription& op) {
  const std::optional<MatrixProduct> product = matrix_product(op);
  if (!product) return {};
  return library_->kernels(op, *product);
}

std::optional<CudaKernel> CublasLtKernels::kernel(const OpDescription& op, const std::string& id) {
  if (!id.starts_with("cublaslt ")) return std::nullopt;
  const std::optional<MatrixProduct> product = matrix_product(op);
  if (!product) return std::nullopt;
  return library_->kernel(op, *product, id);
}

}  // namespace spillway
