#pragma once

#include <cstddef>
#include <functional>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/units.h"

namespace spillway {

/// The addresses of one run, with types put on them.
struct Operands {
  std::span<std::byte*const> inputs, outputs;
  std::byte* workspace;

  template <class T = float>
  [[nodiscard]] const T* input(std::size_t index) const {
    return reinterpret_cast<const T*>(inputs[index]);
  }
  template <class T = float>
  [[nodiscard]] T* output(std::size_t index) const {
    return reinterpret_cast<T*>(outputs[index]);
  }
};

/// Bytes of a run, before the addresses are known.
struct Place {
  enum class In { input, output, workspace, scratchpad };
  In in = In::input;
  std::size_t index = 0;  ///< which operand
  Bytes offset;           ///< from its start, or from the workspace's
};

/// What a primitive is given as `argument` (DNNL_ARG_...), how it is laid out and where it lies.
struct Argument {
  int argument = 0;
  dnnl::memory::desc layout;
  Place place;
};

/// A oneDNN primitive, chosen and not yet built: building compiles it, which takes milliseconds.
struct PrimitiveStep {
  dnnl::primitive_desc_base primitive;
  std::vector<Argument> arguments;
};
/// A loop of ours.
using LoopStep = std::function<void(const Operands&)>;
using Step = std::variant<PrimitiveStep, LoopStep>;

/// One way to run an op: steps in order, and the workspace they need beside the operands.
struct Recipe {
  std::string id;
  Bytes workspace;
  std::vector<Step> steps;
};

/// Collects the steps of a recipe and lays out its workspace. Everything in it begins at a multiple of 64 bytes; the
/// steps share one scratchpad, since they run one after the other.
class RecipeBuilder {
 public:
  [[nodiscard]] static Place input(std::size_t index, Bytes offset = {}) { return {Place::In::input, index, offset}; }
  [[nodiscard]] static Place output(std::size_t index, Bytes offset = {}) { return {Place::In::output, index, offset}; }
  /// Reserves `size` bytes that live from the first step to the last.
  [[nodiscard]] Place workspace(Bytes size);

  /// Appends a primitive; its scratchpad is added to the arguments.
  void add(const dnnl::primitive_desc_base& primitive, std::vector<Argument> arguments);
  void add(LoopStep loop) { steps_.emplace_back(std::move(loop)); }

  [[nodiscard]] Recipe finish(std::string id);

 private:
  Bytes reserved_, scratchpad_;
  std::vector<Step> steps_;
};

}  // namespace spillway
