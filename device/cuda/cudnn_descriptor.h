#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace spillway {

/// Throws Error (exit 3) of one line unless `status` is success: the call, what it was for, what cuDNN says.
void check_cudnn(cudnnStatus_t status, std::string_view call, std::string_view what);

/// How cuDNN names the type of an attribute that holds values of type T.
template <class T>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf = [] {
  static_assert(!std::is_same_v<T, T>, "not a type that attributes of ours hold");
  return CUDNN_TYPE_VOID_PTR;
}();
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<std::int64_t> = CUDNN_TYPE_INT64;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<bool> = CUDNN_TYPE_BOOLEAN;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<char> = CUDNN_TYPE_CHAR;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<double> = CUDNN_TYPE_DOUBLE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnHandle_t> = CUDNN_TYPE_HANDLE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnDataType_t> = CUDNN_TYPE_DATA_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnConvolutionMode_t> = CUDNN_TYPE_CONVOLUTION_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnPointwiseMode_t> = CUDNN_TYPE_POINTWISE_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnBackendHeurMode_t> = CUDNN_TYPE_HEUR_MODE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnBackendKnobType_t> = CUDNN_TYPE_KNOB_TYPE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnBackendNumericalNote_t> = CUDNN_TYPE_NUMERICAL_NOTE;
template <>
inline constexpr cudnnBackendAttributeType_t kCudnnTypeOf<cudnnBackendBehaviorNote_t> = CUDNN_TYPE_BEHAVIOR_NOTE;

/// A descriptor of cuDNN's graph API: created empty, given attributes, finalized, then read. Owns it.
///
/// cuDNN copies what it is given, other descriptors included, so those may go before this one does. All functions throw
/// Error (exit 3) like check_cudnn, except where they say otherwise.
class CudnnDescriptor {
 public:
  /// `what` names it in errors: "execution plan of engine 70".
  CudnnDescriptor(cudnnBackendDescriptorType_t type, std::string what);

  [[nodiscard]] cudnnBackendDescriptor_t get() const { return descriptor_.get(); }

  template <class T>
  void set(cudnnBackendAttributeName_t name, const T& value) {
    set_raw(name, kCudnnTypeOf<T>, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, const CudnnDescriptor& child);
  template <class T>
  void set_list(cudnnBackendAttributeName_t name, std::span<const T> values) {
    set_raw(name, kCudnnTypeOf<T>, static_cast<std::int64_t>(values.size()), values.data());
  }
  void set_children(cudnnBackendAttributeName_t name, std::span<const CudnnDescriptor> children);
  /// Addresses on the GPU, for variant packs.
  void set_pointers(cudnnBackendAttributeName_t name, std::span<const void* const> pointers);

  void finalize();
  /// Like finalize, but false where cuDNN says that it doesn't support this.
  [[nodiscard]] bool try_finalize();

  template <class T>
  [[nodiscard]] T value(cudnnBackendAttributeName_t name) const {
    T result{};
    static_cast<void>(get_raw(name, kCudnnTypeOf<T>, 1, &result));
    return result;
  }
  /// The attribute's values, `most` at most.
  template <class T>
  [[nodiscard]] std::vector<T> values(cudnnBackendAttributeName_t name, std::int64_t most) const {
    std::vector<T> result(static_cast<std::size_t>(most));
    result.resize(static_cast<std::size_t>(get_raw(name, kCudnnTypeOf<T>, most, result.data())));
    return result;
  }
  /// How many values the attribute has at most; cuDNN may give fewer.
  [[nodiscard]] std::int64_t count(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const {
    return get_raw(name, type, 0, nullptr);
  }
  /// An attribute of characters.
  [[nodiscard]] std::string text(cudnnBackendAttributeName_t name) const;
  /// The descriptors that the attribute holds, `most` at most.
  [[nodiscard]] std::vector<CudnnDescriptor> children(cudnnBackendAttributeName_t name,
                                                      cudnnBackendDescriptorType_t type, std::int64_t most) const;

 private:
  struct Destroy {
    void operator()(void* descriptor) const { static_cast<void>(cudnnBackendDestroyDescriptor(descriptor)); }
  };

  void set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
               const void* values);
  /// How many values cuDNN wrote, or, with `most` 0, how many there are.
  [[nodiscard]] std::int64_t get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                     std::int64_t most, void* values) const;

  std::unique_ptr<void, Destroy> descriptor_;
  std::string what_;
};

}  // namespace spillway
