#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "tests/device/kernel_case.h"

namespace spillway {

/// The case's inputs: random numbers that floats hold exactly, then made to fit together, then rounded to what memory
/// holds.
[[nodiscard]] std::vector<TestTensor> rounded_inputs(const KernelCase& kernel_case);

/// The case's op in these layouts, each first with nothing in place, then in each other way.
[[nodiscard]] std::vector<OpDescription> variants_of(const KernelCase& kernel_case, const std::vector<Layout>& layouts);

/// Fails unless every element of the outputs is as near to what is expected as `tolerance` times the largest one.
void expect_near(const std::vector<TestTensor>& got, const std::vector<TestTensor>& expected, double tolerance);

/// Host memory for one run of an op, laid out as the op says. Between the operands lie bytes that nobody may touch.
class OperandMemory {
 public:
  /// `start` is what outputs and workspace hold before the run. Each begins at a multiple of `alignment` bytes, a power
  /// of two.
  OperandMemory(const OpDescription& op, Bytes workspace, const std::vector<TestTensor>& values, std::byte start,
                std::size_t alignment = 64);

  /// Calls `use(inputs, outputs, workspace)` with addresses of std::byte.
  template <class Use>
  void with_addresses(Use&& use) {
    std::vector<std::byte*> in, out;
    for (const std::size_t offset : inputs_) in.push_back(base_ + offset);
    for (const std::size_t offset : outputs_) out.push_back(base_ + offset);
    use(std::span<std::byte* const>(in), std::span<std::byte* const>(out), base_ + workspace_);
  }
  /// The bytes from the first operand's to the last one's, to be copied to a device and back, and how far from their
  /// start the operands lie: there as here a multiple of the alignment.
  [[nodiscard]] std::span<std::byte> image() { return {base_, used_}; }
  struct Offsets {
    std::vector<Bytes> inputs, outputs;
    Bytes workspace;
  };
  [[nodiscard]] Offsets offsets() const;
  /// Whether every byte outside outputs and workspace is what it was.
  [[nodiscard]] bool only_allowed_bytes_written() const;
  /// In logical order.
  [[nodiscard]] std::vector<TestTensor> outputs() const;
  [[nodiscard]] std::span<const std::byte> output_bytes(std::size_t index) const;

 private:
  static constexpr std::byte kUntouched{0xa5};

  std::size_t reserve(Bytes size);
  void open(std::size_t offset, Bytes size, std::byte start);

  OpDescription op_;
  std::size_t alignment_;
  std::vector<std::size_t> inputs_, outputs_;  ///< offsets
  std::size_t used_, workspace_ = 0;
  std::vector<std::byte> memory_, before_;
  std::byte* base_ = nullptr;
  std::vector<std::pair<std::size_t, std::size_t>> open_;
};

}  // namespace spillway
