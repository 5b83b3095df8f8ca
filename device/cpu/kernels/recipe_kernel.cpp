#include "device/cpu/kernels/recipe_kernel.h"

#include <string>
#include <unordered_map>
#include <utility>

#include "device/cpu/kernels/onednn.h"

namespace spillway {

namespace {

struct BuiltPrimitive {
  dnnl::primitive primitive;
  std::unordered_map<int, dnnl::memory> arguments;
};

/// A memory object that is pointed to its bytes at the start of each run.
struct Binding {
  Place place;
  dnnl::memory memory;
};

class RecipeKernel : public CpuKernel {
 public:
  RecipeKernel(Recipe recipe, std::string_view kind, int threads)
      : kind_(kind), threads_(threads), stream_(cpu_engine()) {
    for (Step& step : recipe.steps) {
      if (auto* loop = std::get_if<LoopStep>(&step)) {
        steps_.emplace_back(std::move(*loop));
      } else {
        steps_.emplace_back(build(std::get<PrimitiveStep>(step)));
      }
    }
  }

  void run(std::span<std::byte* const> inputs, std::span<std::byte* const> outputs, std::byte* workspace) override {
    const Operands operands{inputs, outputs, workspace};
    use_threads(threads_);
    checked(kind_, [&] {
      for (Binding& binding : bindings_) binding.memory.set_data_handle(address(operands, binding.place));
      for (const auto& step : steps_) {
        if (const auto* loop = std::get_if<LoopStep>(&step)) {
          (*loop)(operands);
        } else {
          const auto& built = std::get<BuiltPrimitive>(step);
          built.primitive.execute(stream_, built.arguments);
        }
      }
      stream_.wait();
    });
  }

 private:
  BuiltPrimitive build(const PrimitiveStep& step) {
    BuiltPrimitive built{dnnl::primitive(step.primitive.get()), {}};
    for (const Argument& argument : step.arguments) {
      dnnl::memory memory(argument.layout, cpu_engine(), DNNL_MEMORY_NONE);
      built.arguments.emplace(argument.argument, memory);
      bindings_.push_back({argument.place, memory});
    }
    return built;
  }

  static std::byte* address(const Operands& operands, const Place& place) {
    switch (place.in) {
      case Place::In::input: return operands.inputs[place.index] + place.offset.value;
      case Place::In::output: return operands.outputs[place.index] + place.offset.value;
      case Place::In::workspace:
      case Place::In::scratchpad: return operands.workspace + place.offset.value;
    }
    return nullptr;
  }

  std::string kind_;
  int threads_;
  dnnl::stream stream_;
  std::vector<Binding> bindings_;
  std::vector<std::variant<BuiltPrimitive, LoopStep>> steps_;
};

}  // namespace

std::unique_ptr<CpuKernel> make_recipe_kernel(Recipe recipe, std::string_view kind, int threads) {
  use_threads(threads);
  return checked(kind, [&] { return std::make_unique<RecipeKernel>(std::move(recipe), kind, threads); });
}

}  // namespace spillway
