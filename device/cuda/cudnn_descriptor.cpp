#include "device/cuda/cudnn_descriptor.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {
namespace {

/// What cuDNN noted about the last failure of this thread, on one line.
std::string last_message() {
  std::array<char, 512> buffer{};
  cudnnGetLastErrorString(buffer.data(), buffer.size());
  std::string message(buffer.data());
  std::replace(message.begin(), message.end(), '\n', ' ');
  return message;
}

}  // namespace

void check_cudnn(cudnnStatus_t status, std::string_view call, std::string_view what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const std::string message = last_message();
  throw machine_error(fmt::format("cuDNN: {} for {}: {}{}{}", call, what, cudnnGetErrorString(status),
                                  message.empty() ? "" : ": ", message));
}

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type, std::string what) : what_(std::move(what)) {
  cudnnBackendDescriptor_t descriptor = nullptr;
  check_cudnn(cudnnBackendCreateDescriptor(type, &descriptor), "cudnnBackendCreateDescriptor", what_);
  descriptor_.reset(descriptor);
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, const CudnnDescriptor& child) {
  const cudnnBackendDescriptor_t raw = child.get();
  set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
}

void CudnnDescriptor::set_children(cudnnBackendAttributeName_t name, std::span<const CudnnDescriptor> children) {
  std::vector<cudnnBackendDescriptor_t> raw;
  for (const CudnnDescriptor& child : children) raw.push_back(child.get());
  set_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<std::int64_t>(raw.size()), raw.data());
}

void CudnnDescriptor::set_pointers(cudnnBackendAttributeName_t name, std::span<const void* const> pointers) {
  set_raw(name, CUDNN_TYPE_VOID_PTR, static_cast<std::int64_t>(pointers.size()), pointers.data());
}

void CudnnDescriptor::finalize() {
  check_cudnn(cudnnBackendFinalize(get()), "cudnnBackendFinalize", what_);
}

bool CudnnDescriptor::try_finalize() {
  const cudnnStatus_t status = cudnnBackendFinalize(get());
  if (CUDNN_STATUS_CATEGORY(status) == CUDNN_STATUS_NOT_SUPPORTED) return false;
  check_cudnn(status, "cudnnBackendFinalize", what_);
  return true;
}

std::string CudnnDescriptor::text(cudnnBackendAttributeName_t name) const {
  std::string result(static_cast<std::size_t>(count(name, CUDNN_TYPE_CHAR)), '\0');
  static_cast<void>(get_raw(name, CUDNN_TYPE_CHAR, static_cast<std::int64_t>(result.size()), result.data()));
  return result.substr(0, result.find('\0'));
}

std::vector<CudnnDescriptor> CudnnDescriptor::children(cudnnBackendAttributeName_t name,
                                                       cudnnBackendDescriptorType_t type, std::int64_t most) const {
  // cuDNN fills descriptors that the caller has made.
  std::vector<CudnnDescriptor> result;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::int64_t i = 0; i < most; ++i) {
    raw.push_back(result.emplace_back(type, fmt::format("{} of {}", i, what_)).get());
  }
  const std::int64_t got = most == 0 ? 0 : get_raw(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, most, raw.data());
  result.erase(result.begin() + static_cast<std::ptrdiff_t>(got), result.end());
  return result;
}

void CudnnDescriptor::set_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                              const void* values) {
  const cudnnStatus_t status = cudnnBackendSetAttribute(get(), name, type, count, values);
  if (status == CUDNN_STATUS_SUCCESS) return;
  check_cudnn(status, "cudnnBackendSetAttribute", fmt::format("attribute {} of {}", static_cast<int>(name), what_));
}

std::int64_t CudnnDescriptor::get_raw(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                      std::int64_t most, void* values) const {
  std::int64_t count = 0;
  const cudnnStatus_t status = cudnnBackendGetAttribute(get(), name, type, most, &count, values);
  if (status == CUDNN_STATUS_SUCCESS) return most == 0 ? count : std::min(count, most);
  check_cudnn(status, "cudnnBackendGetAttribute", fmt::format("attribute {} of {}", static_cast<int>(name), what_));
  return 0;
}

}  // namespace spillway
