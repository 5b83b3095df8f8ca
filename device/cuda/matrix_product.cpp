#include "device/cuda/matrix_product.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "device/cuda/index_limit.h"

namespace spillway {
namespace {

/// Where one of an op's matrices is. Its first extent is one side, all others together the other one.
struct Place {
  bool is_output;
  std::size_t index;
  std::string_view name;
};

/// What holds for every linear op of a kind, in its own terms: which operand is which factor.
struct Roles {
  Place a;
  bool a_transposed;
  Place b;
  bool b_transposed;
  Place d;
};

// With x [N, F], weights [O, F] and y [N, O], each read as its own transpose:
// y = x weights', so y' (O x N) = weights x'; weights lies as F x O and is turned, x lies as F x N.
Roles roles_of(const Linear&) {
  return {{false, 1, "weights"}, true, {false, 0, "x"}, false, {true, 0, "y"}};
}
// dx = dy weights, so dx' (F x N) = weights' dy'.
Roles roles_of(const LinearBackwardData&) {
  return {{false, 1, "weights"}, false, {false, 0, "dy"}, false, {true, 0, "dx"}};
}
// dweights = dy' x, so dweights' (F x O) = x' dy; dy lies as O x N and is turned.
Roles roles_of(const LinearBackwardWeights&) {
  return {{false, 0, "x"}, false, {false, 1, "dy"}, true, {true, 0, "dweights"}};
}

const OperandDescription* find(const OpDescription& op, const Place& place) {
  const auto& all = place.is_output ? op.outputs : op.inputs;
  return place.index < all.size() ? &all[place.index] : nullptr;
}

/// Two extents that count, none of them 0, and ones behind.
bool is_matrix(const OperandDescription* operand) {
  if (operand == nullptr || operand->type != ElementType::float32 || operand->extents.size() < 2) return false;
  const auto is_one = [](std::int64_t extent) { return extent == 1; };
  return operand->extents[0] > 0 && operand->extents[1] > 0 &&
         std::all_of(operand->extents.begin() + 2, operand->extents.end(), is_one);
}

ColumnMajorMatrix matrix(const OpDescription& op, const Place& place, bool transposed) {
  const OperandDescription& operand = *find(op, place);
  refuse_too_many_elements(op, operand, place.name, "cuBLASLt");
  return {place.is_output, place.index, operand.extents[1], operand.extents[0], transposed, operand.alignment};
}

std::int64_t rows(const ColumnMajorMatrix& matrix) {
  return matrix.transposed ? matrix.columns : matrix.rows;
}
std::int64_t columns(const ColumnMajorMatrix& matrix) {
  return matrix.transposed ? matrix.rows : matrix.columns;
}

std::optional<MatrixProduct> product_of(const OpDescription& op, const Roles& roles) {
  for (const Place& place : {roles.a, roles.b, roles.d}) {
    if (!is_matrix(find(op, place))) return std::nullopt;
  }
  MatrixProduct product{std::string(kind_of(op.attributes)),
                        matrix(op, roles.a, roles.a_transposed),
                        matrix(op, roles.b, roles.b_transposed),
                        matrix(op, roles.d, false),
                        std::nullopt,
                        {}};
  const bool fits = columns(product.a) == rows(product.b) && rows(product.a) == product.d.rows &&
                    columns(product.b) == product.d.columns;
  return fits ? std::optional(product) : std::nullopt;
}

}  // namespace

std::optional<MatrixProduct> matrix_product(const OpDescription& op) {
  const auto product = [&op](const auto& attributes) -> std::optional<MatrixProduct> {
    if constexpr (requires { roles_of(attributes); }) {
      return product_of(op, roles_of(attributes));
    } else {
      return std::nullopt;
    }
  };
  std::optional<MatrixProduct> found = std::visit(product, op.attributes);
  if (found && std::holds_alternative<Linear>(op.attributes) && op.inputs.size() > 2) {
    found->bias = 2;
    found->bias_alignment = op.inputs[2].alignment;
  }
  return found;
}

}  // namespace spillway
