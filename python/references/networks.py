"""The built-in networks in PyTorch, written from their descriptions, not from models/.

Each network is a function of a Weights and the batch; it gives the loss. Parameters are made at their first use, under the
names that Spillway gives them, so that both sides fill them with the same numbers.
"""

import math
from functools import partial

import torch
import torch.nn.functional as F

from references.fill import fill_uniform, kept_channels


class Weights:
    """Parameters and running statistics by name, in one precision."""

    def __init__(self, dtype, seed=1):
        self.dtype, self.seed = dtype, seed
        self.parameters, self.statistics = {}, {}
        self.step = 1  # the number of the current training step, which dropout depends on

    def uniform(self, name, shape, bound):
        if name not in self.parameters:
            values = torch.from_numpy(fill_uniform(shape, name, self.seed, -bound, bound)).to(self.dtype)
            self.parameters[name] = values.requires_grad_()
        return self.parameters[name]

    def constant(self, name, size, value):
        if name not in self.parameters:
            self.parameters[name] = torch.full((size,), value, dtype=self.dtype, requires_grad=True)
        return self.parameters[name]

    def statistic(self, name, size, value):
        return self.statistics.setdefault(name, torch.full((size,), value, dtype=self.dtype))


def convolution(w, name, x, filters, kernel, stride=1, bias=True, slope=0.0):
    dimensions = x.dim() - 2
    fan_in = x.shape[1] * kernel**dimensions
    bound = math.sqrt(6 / ((1 + slope**2) * fan_in))
    weights = w.uniform(name + ".weights", (filters, x.shape[1]) + (kernel,) * dimensions, bound)
    offset = w.constant(name + ".bias", filters, 0.0) if bias else None
    return (F.conv2d if dimensions == 2 else F.conv3d)(x, weights, offset, stride=stride, padding=kernel // 2)


def linear(w, name, x, outputs):
    bound = math.sqrt(6 / x.shape[1])
    return F.linear(x, w.uniform(name + ".weights", (outputs, x.shape[1]), bound), w.constant(name + ".bias", outputs, 0.0))


def unet3d(w, image, labels, base, depth, dropout):
    """Isensee 2017: see the description beside the C++ of the same name."""
    classes = labels.shape[1]

    def norm(name, x):
        channels = x.shape[1]
        return F.instance_norm(
            x, weight=w.constant(name + ".scale", channels, 1.0), bias=w.constant(name + ".shift", channels, 0.0), eps=1e-5
        )

    def block(path, number, x, filters, kernel=3, stride=1):
        x = convolution(w, f"{path}.conv{number}", x, filters, kernel, stride, slope=0.3)
        return F.leaky_relu(norm(f"{path}.norm{number}", x), 0.3)

    x, skips = image, []
    for level in range(depth):
        filters = base * 2**level
        entry = block(f"enc{level}.in", "", x, filters, stride=1 if level == 0 else 2)
        y = block(f"enc{level}.context", 1, entry, filters)
        kept = kept_channels(y.shape[0], filters, dropout, salt=level, seed=w.seed, step=w.step)
        y = y * (torch.from_numpy(kept).to(w.dtype) / (1 - dropout)).reshape(kept.shape + (1, 1, 1))
        x = entry + block(f"enc{level}.context", 2, y, filters)
        skips.append(x)

    def doubled(t):
        return F.interpolate(t, scale_factor=2, mode="nearest")

    segmentations = {}
    for level in reversed(range(depth - 1)):
        filters = base * 2**level
        x = block(f"dec{level}.up", "", doubled(x), filters)
        x = block(f"dec{level}.merge", "", torch.cat([skips[level], x], dim=1), filters)
        x = block(f"dec{level}.reduce", "", x, filters, kernel=1)
        if level < 3:
            segmentations[level] = convolution(w, f"dec{level}.segmentation", x, classes, 1, slope=0.3)

    logits = None
    for level in sorted(segmentations, reverse=True):
        logits = segmentations[level] if logits is None else doubled(logits) + segmentations[level]
    p = torch.sigmoid(logits)
    smoothing, volume = 1e-5, (2, 3, 4)
    overlap = 2 * (labels * p).sum(volume) + smoothing
    return -(overlap / (labels.sum(volume) + p.sum(volume) + smoothing)).mean()


def resnet(w, image, labels, classes, depth, run=lambda block, x: block(x)):
    """Version 1.5: the stride is in the 3x3 convolution. `run` calls each block, for instance checkpointed."""
    repeats, bottleneck = {
        18: ([2, 2, 2, 2], False),
        34: ([3, 4, 6, 3], False),
        50: ([3, 4, 6, 3], True),
        101: ([3, 4, 23, 3], True),
        152: ([3, 8, 36, 3], True),
    }[depth]

    def conv_norm(path, suffix, x, filters, kernel, stride=1):
        x = convolution(w, f"{path}.conv{suffix}", x, filters, kernel, stride, bias=False)
        name = f"{path}.norm{suffix}"
        return F.batch_norm(
            x,
            w.statistic(name + ".running_mean", filters, 0.0),
            w.statistic(name + ".running_variance", filters, 1.0),
            w.constant(name + ".scale", filters, 1.0),
            w.constant(name + ".shift", filters, 0.0),
            training=True,
            momentum=0.1,
            eps=1e-5,
        )

    def block(path, width, out, stride, x):
        if bottleneck:
            y = F.relu(conv_norm(path, 1, x, width, 1))
            y = F.relu(conv_norm(path, 2, y, width, 3, stride))
            y = conv_norm(path, 3, y, out, 1)
        else:
            y = F.relu(conv_norm(path, 1, x, width, 3, stride))
            y = conv_norm(path, 2, y, out, 3)
        if stride != 1 or x.shape[1] != out:
            x = conv_norm(path + ".shortcut", "", x, out, 1, stride)
        return F.relu(x + y)

    x = F.relu(conv_norm("stem", "", image, 64, 7, 2))
    x = F.max_pool2d(x, 3, 2, 1)
    for layer, count in enumerate(repeats):
        width = 64 * 2**layer
        for number in range(count):
            path = f"layer{layer + 1}.block{number + 1}"
            stride = 2 if layer > 0 and number == 0 else 1
            out = width * (4 if bottleneck else 1)
            x = run(partial(block, path, width, out, stride), x)
    return F.cross_entropy(linear(w, "head.linear", x.mean((2, 3)), classes), labels)


def mlp(w, image, labels, classes, width, depth):
    x = image
    for number in range(depth):
        x = F.relu(linear(w, f"hidden{number + 1}.linear", x, width))
    return F.cross_entropy(linear(w, "head.linear", x, classes), labels)
