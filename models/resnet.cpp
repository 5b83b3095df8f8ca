#include "models/resnet.h"

#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "models/builder.h"

namespace spillway {

namespace {

/// He et al. 2015, table 1.
struct Architecture {
  std::vector<int> blocks;  // of each layer
  bool bottleneck = false;
};
const std::map<std::int64_t, Architecture>& architectures() {
  static const std::map<std::int64_t, Architecture> all{{18, {{2, 2, 2, 2}, false}},
                                                        {34, {{3, 4, 6, 3}, false}},
                                                        {50, {{3, 4, 6, 3}, true}},
                                                        {101, {{3, 4, 23, 3}, true}},
                                                        {152, {{3, 8, 36, 3}, true}}};
  return all;
}

/// Convolution without bias (the norm's shift does its work) and batch norm.
TensorId normed(GraphBuilder& builder, const std::string& path, const std::string& number, TensorId x,
                std::int64_t filters, std::int64_t kernel, std::int64_t stride) {
  const ConvolutionLayer layer{.filters = filters, .kernel = kernel, .stride = stride, .bias = false, .slope = 0};
  return builder.batch_norm(path + ".norm" + number, builder.convolution(path + ".conv" + number, x, layer));
}

TensorId activated(GraphBuilder& builder, const std::string& path, const std::string& number, TensorId x,
                   std::int64_t filters, std::int64_t kernel, std::int64_t stride) {
  const TensorId y = normed(builder, path, number, x, filters, kernel, stride);
  return builder.leaky_relu_in_place(path + ".relu" + number, y, 0);
}

/// `width` filters inside, `out` at the end.
TensorId block(GraphBuilder& builder, const std::string& path, TensorId x, std::int64_t width, std::int64_t out,
               std::int64_t stride, bool bottleneck) {
  TensorId y =
      bottleneck ? activated(builder, path, "1", x, width, 1, 1) : activated(builder, path, "1", x, width, 3, stride);
  if (bottleneck) y = activated(builder, path, "2", y, width, 3, stride);
  y = bottleneck ? normed(builder, path, "3", y, out, 1, 1) : normed(builder, path, "2", y, out, 3, 1);
  if (stride != 1 || builder.graph().tensors[x].extents[0] != out) {
    x = normed(builder, path + ".shortcut", "", x, out, 1, stride);
  }
  // In place on the norm's output: the norm's gradient needs its input, not its output.
  return builder.leaky_relu_in_place(path + ".relu", builder.add_in_place(path + ".add", y, x), 0);
}

Graph resnet(const SettingsReader& settings) {
  const std::int64_t depth = settings.whole_number("depth", 18, 152);
  const auto found = architectures().find(depth);
  if (found == architectures().end())
    settings.refuse("depth", fmt::format("found {}, expected 18, 34, 50, 101 or 152", depth));
  const std::int64_t side = settings.whole_number("side", 32, 4096);
  const std::int64_t classes = settings.whole_number("classes", 2, 1'000'000);
  const std::int64_t base = settings.whole_number("base", 1, 4096);
  const auto& [blocks, bottleneck] = found->second;

  GraphBuilder builder("resnet");
  const TensorId image = builder.input("image", {3, side, side}),
                 labels = builder.input("labels", {}, ElementType::int64);
  TensorId x = activated(builder, "stem", "", image, base, 7, 2);
  x = builder.max_pool("stem.pool", x, 3, 2, 1);
  for (std::size_t layer = 0; layer < blocks.size(); ++layer) {
    const std::int64_t width = base << layer;
    for (int number = 0; number < blocks[layer]; ++number) {
      const std::string path = fmt::format("layer{}.block{}", layer + 1, number + 1);
      x = block(builder, path, x, width, bottleneck ? 4 * width : width, layer > 0 && number == 0 ? 2 : 1, bottleneck);
    }
  }
  x = builder.global_average_pool("head.pool", x);
  builder.softmax_cross_entropy("loss", builder.linear("head.linear", x, classes), labels);
  return builder.take();
}

}  // namespace

Model resnet_model() {
  return {.name = "resnet",
          .help = "ResNet v1.5 for classification, cross-entropy loss",
          .settings = {{"depth", "50", "18, 34, 50, 101 or 152"},
                       {"side", "224", "pixels along each edge, at least 32"},
                       {"classes", "1000", "classes"},
                       {"base", "64", "filters of the first layer, doubled by each later one"}},
          .default_optimizer = "sgd",
          .adam_learning_rate = 1e-3,
          .sgd_learning_rate = 0.1,
          .forward = &resnet};
}

}  // namespace spillway
