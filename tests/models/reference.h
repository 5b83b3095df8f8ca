#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace spillway {

/// What PyTorch in FP64 says about one tensor: see python/make_gradient_references.py.
struct ReferenceTensor {
  std::string name;
  std::size_t elements = 0;
  double norm = 0;
  double float32_error = 0;  ///< how far PyTorch's own FP32 is off, in units of scale()
  std::vector<double> entries;
};

/// Ten steps of an optimizer on one batch.
struct ReferenceTraining {
  std::string optimizer;
  double learning_rate = 0;
  std::vector<double> losses;
  std::vector<double> loss_float32_errors;  ///< how far PyTorch's own FP32 is off, by step
  std::vector<ReferenceTensor> changes;     ///< last value minus first, of parameters and running statistics
};

struct Reference {
  std::string model;
  std::vector<std::string> settings;  ///< KEY=VALUE
  std::int64_t batch = 1;
  double loss = 0, loss_float32 = 0;
  std::vector<ReferenceTensor> gradients;
  std::vector<ReferenceTraining> trainings;
};

/// Reads tests/data/gradients/`name`.json.
[[nodiscard]] Reference read_reference(const std::string& name);

/// How far `values` are from `reference`: the larger of the difference of the norms and the norm of the difference, the
/// latter estimated from the entries that the reference holds. In units of the reference's norm plus a thousandth of
/// `largest_norm`.
[[nodiscard]] double distance(const std::vector<float>& values, const ReferenceTensor& reference, double largest_norm);
[[nodiscard]] double largest_norm(const std::vector<ReferenceTensor>& tensors);

}  // namespace spillway
