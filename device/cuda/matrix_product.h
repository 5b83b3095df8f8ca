#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/op_description.h"

namespace spillway {

/// An operand of the op as a library sees it that counts down the columns: element (row, column) lies at
/// row + column * rows. Where our tensors are [n, m], row after row, this is m rows and n columns of the same bytes:
/// the transpose, and nothing is copied.
struct ColumnMajorMatrix {
  bool is_output = false;
  std::size_t index = 0;  ///< among the op's inputs or outputs
  std::int64_t rows = 0, columns = 0;
  bool transposed = false;  ///< how it enters the product
  Bytes alignment;          ///< of its address
};

/// d = a b, or with a bias, which has one element for each row of d and is added to every column.
struct MatrixProduct {
  std::string name;  ///< the op's kind
  ColumnMajorMatrix a, b, d;
  std::optional<std::size_t> bias;  ///< which input
  Bytes bias_alignment;             ///< of its address, where there is one
};

/// The product that a linear op or one of its gradients is, less the gradient of the bias; nothing where `op` is
/// another op, has operands other than float32, has none of some extent, or an x with more than one position of space.
///
/// Throws Error (exit 2) naming the operand when one has 2^31 elements or more.
[[nodiscard]] std::optional<MatrixProduct> matrix_product(const OpDescription& op);

}  // namespace spillway
