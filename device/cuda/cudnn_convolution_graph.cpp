#include "device/cuda/cudnn_convolution_graph.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "device/cuda/index_limit.h"

namespace spillway {
namespace {

// The widest that a thread loads at once: more isn't asked for.
constexpr Bytes kWidestLoad{16};

/// uid of each tensor in every graph of ours.
enum Uid : std::int64_t { kX = 1, kWeights, kY, kBias, kSumBeforeBias };

/// Where the op's operands are. The gradients' graphs have x for dx, y for dy, weights for dweights.
struct Operands {
  CudnnOperand x, weights, y;
};
Operands operands_of(const Convolution&) {
  return {{kX, false, 0}, {kWeights, false, 1}, {kY, true, 0}};
}
Operands operands_of(const ConvolutionBackwardData&) {
  return {{kX, true, 0}, {kWeights, false, 1}, {kY, false, 0}};
}
Operands operands_of(const ConvolutionBackwardWeights&) {
  return {{kX, false, 0}, {kWeights, true, 0}, {kY, false, 1}};
}

/// cuDNN has no one-dimensional convolutions: they get a height of one.
Extents with_height(Extents extents, std::size_t at, std::int64_t height) {
  if (extents.size() == at + 1) extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(at), height);
  return extents;
}

Extents strides_of(const Extents& extents, bool channels_last) {
  Extents strides(extents.size());
  std::int64_t stride = 1;
  if (channels_last) strides[1] = 1, stride = extents[1];
  for (std::size_t i = extents.size(); i-- > 0;) {
    if (channels_last && i == 1) continue;
    strides[i] = stride;
    stride *= extents[i];
  }
  return strides;
}

class GraphMaker {
 public:
  explicit GraphMaker(const OpDescription& op) : op_(op) {}

  template <class Attributes>
  ConvolutionGraph make(const Attributes& attributes) {
    const Operands operands = operands_of(attributes);
    const bool gives_data = operands.x.is_output, gives_weights = operands.weights.is_output;
    const CudnnDescriptor x = tensor(operands.x, gives_data ? "dx" : "x"),
                          weights = tensor(operands.weights, gives_weights ? "dweights" : "weights"),
                          y = tensor(operands.y, operands.y.is_output ? "y" : "dy");
    std::vector<CudnnDescriptor> operations;
    std::string pass;
    if constexpr (std::is_same_v<Attributes, Convolution>) {
      pass = op_.inputs.size() > 2 ? "fprop+bias" : "fprop";
      add_forward(operations, attributes.window, x, weights, y);
    } else if constexpr (std::is_same_v<Attributes, ConvolutionBackwardData>) {
      pass = "dgrad";
      operations.push_back(convolution(attributes.window, kDataGradient, x, weights, y));
    } else {
      pass = "wgrad";
      operations.push_back(convolution(attributes.window, kWeightGradient, x, weights, y));
    }
    CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, fmt::format("the graph of {}", pass));
    graph.set_children(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
    const bool deep = attributes.window.kernel.size() == 3;
    const std::string_view layout = channels_last() ? (deep ? "ndhwc" : "nhwc") : (deep ? "ncdhw" : "nchw");
    return {std::move(pass), std::string(layout), std::move(operands_), std::move(graph)};
  }

 private:
  /// cuDNN's names for one kind of convolution.
  struct Names {
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t convolution, x, weights, y, alpha, beta;
  };
  static constexpr Names kForward{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  static constexpr Names kDataGradient{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
  static constexpr Names kWeightGradient{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};

  [[nodiscard]] bool channels_last() const { return op_.layout == Layout::channels_last; }

  CudnnDescriptor tensor(const CudnnOperand& operand, std::string_view name) {
    const OperandDescription& description =
        operand.is_output ? op_.outputs.at(operand.index) : op_.inputs.at(operand.index);
    refuse_too_many_elements(op_, description, name, "cuDNN");
    operands_.push_back(operand);
    const bool is_weights = operand.uid == kWeights;
    return tensor(operand.uid, with_height(description.extents, 2, 1), description.alignment,
                  !is_weights && channels_last(), false);
  }

  static CudnnDescriptor tensor(std::int64_t uid, const Extents& extents, Bytes alignment, bool last, bool is_virtual) {
    CudnnDescriptor descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR,
                               fmt::format("tensor {} [{}]", uid, fmt::join(extents, ", ")));
    descriptor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, uid);
    descriptor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
    descriptor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, std::min(alignment, kWidestLoad).value);
    descriptor.set_list<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS, extents);
    descriptor.set_list<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES, strides_of(extents, last));
    if (is_virtual) descriptor.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
    descriptor.finalize();
    return descriptor;
  }

  static CudnnDescriptor convolution(const Window& window, const Names& names, const CudnnDescriptor& x,
                                     const CudnnDescriptor& weights, const CudnnDescriptor& y) {
    const Extents stride = with_height(window.stride, 0, 1), padding = with_height(window.padding, 0, 0);
    CudnnDescriptor how(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "the window of a convolution");
    how.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<std::int64_t>(stride.size()));
    how.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    how.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);  // what deep learning calls convolution
    how.set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, padding);
    how.set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, padding);
    how.set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, stride);
    how.set_list<std::int64_t>(CUDNN_ATTR_CONVOLUTION_DILATIONS, Extents(stride.size(), 1));
    how.finalize();

    CudnnDescriptor operation(names.type, "a convolution");
    operation.set(names.convolution, how);
    operation.set(names.x, x);
    operation.set(names.weights, weights);
    operation.set(names.y, y);
    operation.set(names.alpha, 1.0);
    operation.set(names.beta, 0.0);
    operation.finalize();
    return operation;
  }

  void add_forward(std::vector<CudnnDescriptor>& operations, const Window& window, const CudnnDescriptor& x,
                   const CudnnDescriptor& weights, const CudnnDescriptor& y) {
    if (op_.inputs.size() <= 2) {
      operations.push_back(convolution(window, kForward, x, weights, y));
      return;
    }
    const Extents extents = with_height(op_.outputs[0].extents, 2, 1);
    Extents bias_extents(extents.size(), 1);
    bias_extents[1] = extents[1];
    const CudnnDescriptor sum = tensor(kSumBeforeBias, extents, kWidestLoad, channels_last(), true);
    const CudnnDescriptor bias = tensor(kBias, bias_extents, op_.inputs[2].alignment, channels_last(), false);
    operands_.push_back({kBias, false, 2});
    operations.push_back(convolution(window, kForward, x, weights, sum));

    CudnnDescriptor how(CUDNN_BACKEND_POINTWISE_DESCRIPTOR, "the addition of a bias");
    how.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_POINTWISE_ADD);
    how.set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    how.finalize();
    CudnnDescriptor& addition = operations.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "a bias");
    addition.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    addition.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, sum);
    addition.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, bias);
    addition.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    addition.finalize();
  }

  const OpDescription& op_;
  std::vector<CudnnOperand> operands_;
};

}  // namespace

bool is_cudnn_convolution(const OpDescription& op) {
  const auto takes = [&op](const auto& attributes) {
    if constexpr (requires { operands_of(attributes); }) {
      const auto of = [&op](const CudnnOperand& operand) -> const OperandDescription* {
        const auto& all = operand.is_output ? op.outputs : op.inputs;
        return operand.index < all.size() ? &all[operand.index] : nullptr;
      };
      const Operands operands = operands_of(attributes);
      const OperandDescription *x = of(operands.x), *weights = of(operands.weights), *y = of(operands.y);
      const std::size_t rank = attributes.window.kernel.size() + 2;
      for (const OperandDescription* operand : {x, weights, y}) {
        if (!operand || operand->type != ElementType::float32 || operand->extents.size() != rank) return false;
      }
      return rank >= 3 && rank <= 5 && x->extents[1] == weights->extents[1];
    } else {
      return false;
    }
  };
  return std::visit(takes, op.attributes);
}

ConvolutionGraph make_convolution_graph(const OpDescription& op) {
  GraphMaker maker(op);
  if (const auto* forward = std::get_if<Convolution>(&op.attributes)) return maker.make(*forward);
  if (const auto* data = std::get_if<ConvolutionBackwardData>(&op.attributes)) return maker.make(*data);
  return maker.make(std::get<ConvolutionBackwardWeights>(op.attributes));
}

}  // namespace spillway
