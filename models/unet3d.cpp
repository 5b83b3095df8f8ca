#include "models/unet3d.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "models/builder.h"

namespace spillway {

namespace {

constexpr double kSlope = 0.3;  // of every leaky ReLU: Keras's default, which the original uses
constexpr std::int64_t kSegmentations = 3;

/// Convolution, instance norm, leaky ReLU. `number` tells the blocks of one path apart.
TensorId block(GraphBuilder& builder, const std::string& path, const std::string& number, TensorId x,
               std::int64_t filters, std::int64_t kernel, std::int64_t stride) {
  const ConvolutionLayer layer{.filters = filters, .kernel = kernel, .stride = stride, .bias = true, .slope = kSlope};
  const TensorId convolved = builder.convolution(path + ".conv" + number, x, layer);
  const TensorId normed = builder.instance_norm(path + ".norm" + number, convolved);
  return builder.leaky_relu_in_place(path + ".relu" + number, normed, kSlope);
}

Extents space_of(const SettingsReader& settings, std::int64_t depth) {
  if (settings.is_set("size") && settings.is_set("side")) settings.refuse("size", "'side' is set too; set one of them");
  const std::string name = settings.is_set("size") ? "size" : "side";
  const Extents space =
      name == "size" ? settings.extents("size", 3) : Extents(3, settings.whole_number("side", 1, 4096));
  const std::int64_t multiple = std::int64_t{1} << (depth - 1);
  for (const std::int64_t extent : space) {
    if (extent % multiple == 0) continue;
    const std::int64_t below = extent / multiple * multiple;
    const std::string near = below == 0 ? fmt::format("the nearest is {}", multiple)
                                        : fmt::format("the nearest are {} and {}", below, below + multiple);
    settings.refuse(name,
                    fmt::format("found {}, expected a multiple of {} at depth {}; {}", extent, multiple, depth, near));
  }
  return space;
}

/// Two resolutions of space, one below the other: what goes down and, kept for later, what the way up concatenates.
struct Encoder {
  TensorId deepest;
  std::vector<TensorId> skips;  // by level
};

Encoder encode(GraphBuilder& builder, TensorId image, std::int64_t base, std::int64_t depth, double dropout) {
  Encoder encoder{image, {}};
  for (std::int64_t level = 0; level < depth; ++level) {
    const std::int64_t filters = base << level;
    const std::string path = fmt::format("enc{}", level), context = path + ".context";
    const TensorId in = block(builder, path + ".in", "", encoder.deepest, filters, 3, level == 0 ? 1 : 2);
    TensorId x = block(builder, context, "1", in, filters, 3, 1);
    x = builder.channel_dropout(context + ".dropout", x, dropout);
    x = block(builder, context, "2", x, filters, 3, 1);
    // Not in place: both summands' signs are needed for the gradients of their leaky ReLUs.
    encoder.deepest = builder.add(path + ".add", in, x);
    encoder.skips.push_back(encoder.deepest);
  }
  return encoder;
}

Graph unet3d(const SettingsReader& settings) {
  const std::int64_t depth = settings.whole_number("depth", 2, 8);
  const std::int64_t base = settings.whole_number("base", 1, 1024);
  const std::int64_t classes = settings.whole_number("classes", 1, 1024);
  Extents image_extents = space_of(settings, depth), label_extents = image_extents;
  image_extents.insert(image_extents.begin(), settings.whole_number("channels", 1, 1024));
  label_extents.insert(label_extents.begin(), classes);

  GraphBuilder builder("unet3d");
  const TensorId image = builder.input("image", image_extents), labels = builder.input("labels", label_extents);
  const Encoder encoder = encode(builder, image, base, depth, settings.number("dropout", 0, 1));

  TensorId x = encoder.deepest;
  std::vector<TensorId> segmentations;  // the coarsest first
  for (std::int64_t level = depth - 2; level >= 0; --level) {
    const std::int64_t filters = base << level;
    const std::string path = fmt::format("dec{}", level);
    x = builder.upsample(path + ".upsample", x, 2);
    x = block(builder, path + ".up", "", x, filters, 3, 1);
    x = builder.concat(path + ".concat", encoder.skips[static_cast<std::size_t>(level)], x);
    x = block(builder, path + ".merge", "", x, filters, 3, 1);
    x = block(builder, path + ".reduce", "", x, filters, 1, 1);
    if (level < kSegmentations) {
      segmentations.push_back(builder.convolution(
          path + ".segmentation", x, {.filters = classes, .kernel = 1, .stride = 1, .bias = true, .slope = kSlope}));
    }
  }

  TensorId logits = segmentations.front();
  for (std::size_t i = 1; i < segmentations.size(); ++i) {
    const std::size_t level = segmentations.size() - 1 - i;
    logits = builder.upsample(fmt::format("head.upsample{}", level + 1), logits, 2);
    logits = builder.add_in_place(fmt::format("head.add{}", level), logits, segmentations[i]);
  }
  builder.dice_loss("loss", builder.sigmoid_in_place("head.sigmoid", logits), labels);
  return builder.take();
}

}  // namespace

Model unet3d_model() {
  return {.name = "unet3d",
          .help = "3D U-Net for segmentation (Isensee 2017), Dice loss",
          .settings = {{"side", "144", "voxels along each edge, a multiple of 2^(depth-1)"},
                       {"size", "", "voxels as DxHxW, instead of side"},
                       {"channels", "4", "channels of the image"},
                       {"base", "16", "filters at full resolution, doubled at each level"},
                       {"depth", "5", "levels, 2 to 8"},
                       {"classes", "4", "labels, each a mask of its own"},
                       {"dropout", "0.3", "rate at which whole channels are dropped"}},
          .default_optimizer = "adam",
          .adam_learning_rate = 5e-4,
          .sgd_learning_rate = 0.01,
          .forward = &unet3d};
}

}  // namespace spillway
