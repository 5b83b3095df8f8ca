#!/usr/bin/env python3
"""Writes tests/data/gradients/CASE.json: losses, gradients and ten training steps of the built-in networks, from PyTorch in FP64.

    python3 python/make_gradient_references.py [CASE]...

Of each tensor stand there its norm, up to 256 entries (64 for trainings; all, if it has no more) and how far PyTorch's own FP32 is off:
|| x32 - x64 || / (|| x64 || + 1e-3 * largest norm of the kind), the larger of that over the whole tensor and over the entries.
Entry j of n elements is element j, or ((j * 2654435769) mod 2^32) * n >> 32 of a larger tensor. Trainings hold what the steps
changed: the tensor after the last step minus the tensor before the first. Their FP32 errors are the largest of three runs whose
images differ in the last bits, since ten steps of a deep network amplify rounding by chance.
"""

import json
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from references import networks  # noqa: E402
from references.fill import fill_uniform  # noqa: E402

SEED = 1
STEPS = 10

# Rates at which ten steps lower the loss of these small networks on one batch.
CASES = {
    "unet3d": dict(
        settings={"size": "16x32x16", "channels": 4, "base": 8, "depth": 4, "classes": 3, "dropout": 0.3},
        batch=2,
        rates={"adam": 5e-4, "sgd": 1e-2},
    ),
    # In FP32 a ReLU or two of 50 layers falls on the other side of zero, and all gradients before it are off by percents; with 18
    # layers they stay exact.
    "resnet50": dict(settings={"depth": 50, "side": 64, "classes": 10}, batch=2, rates={"adam": 1e-6, "sgd": 1e-6}),
    "resnet18": dict(settings={"depth": 18, "side": 64, "classes": 10}, batch=4, rates={"adam": 1e-5, "sgd": 1e-4}),
    "mlp": dict(
        settings={"width": 64, "depth": 3, "inputs": 48, "classes": 10}, batch=8, rates={"adam": 1e-3, "sgd": 1e-2}
    ),
}


def data_of(model, settings, batch, dtype):
    """The batch: images uniform in [-1, 1), labels from uniform numbers in [0, 1)."""
    if model == "unet3d":
        space = tuple(int(extent) for extent in settings["size"].split("x"))
        image = fill_uniform((batch, settings["channels"]) + space, "image", SEED, -1.0, 1.0)
        labels = fill_uniform((batch, settings["classes"]) + space, "labels", SEED, 0.0, 1.0) < 0.5
        return torch.from_numpy(image).to(dtype), torch.from_numpy(labels).to(dtype)
    shape = (settings["inputs"],) if model == "mlp" else (3, settings["side"], settings["side"])
    image = fill_uniform((batch,) + shape, "image", SEED, -1.0, 1.0)
    u = fill_uniform((batch,), "labels", SEED, 0.0, 1.0).astype(np.float64)
    return torch.from_numpy(image).to(dtype), torch.from_numpy(np.floor(u * settings["classes"]).astype(np.int64))


def loss_of(model, settings, w, image, labels):
    if model == "unet3d":
        return networks.unet3d(w, image, labels, settings["base"], settings["depth"], settings["dropout"])
    if model == "resnet":
        return networks.resnet(w, image, labels, settings["classes"], settings["depth"])
    return networks.mlp(w, image, labels, settings["classes"], settings["width"], settings["depth"])


def run(model, settings, batch, dtype, optimizer=None, rate=0.0, last_bits=0):
    """(losses, gradients of the first step, changes): without an optimizer one step that changes nothing."""
    w = networks.Weights(dtype, SEED)
    image, labels = data_of(model, settings, batch, dtype)
    image = image * (1 + last_bits * 2.0**-23)
    losses, first, before, algorithm = [], {}, {}, None
    for step in range(1, (STEPS if optimizer else 1) + 1):
        w.step = step
        if step == 1:  # makes the parameters; its statistics are thrown away
            loss_of(model, settings, w, image, labels)
            for name, value in w.statistics.items():
                value.fill_(0.0 if name.endswith("mean") else 1.0)
            before = {name: value.detach().clone() for name, value in {**w.parameters, **w.statistics}.items()}
            if optimizer == "adam":
                algorithm = torch.optim.Adam(list(w.parameters.values()), lr=rate, betas=(0.9, 0.999), eps=1e-8)
            elif optimizer == "sgd":
                algorithm = torch.optim.SGD(list(w.parameters.values()), lr=rate, momentum=0.9)
        for value in w.parameters.values():
            value.grad = None
        loss = loss_of(model, settings, w, image, labels)
        loss.backward()
        losses.append(loss.item())
        if step == 1:
            first = {name: value.grad.detach().clone() for name, value in w.parameters.items()}
        if algorithm:
            algorithm.step()
    after = {**w.parameters, **w.statistics}
    return losses, first, {name: after[name].detach() - before[name] for name in after}


def entries_of(n, most):
    if n <= most:
        return np.arange(n)
    j = np.arange(most, dtype=np.uint64)
    return (((j * np.uint64(2654435769)) & np.uint64(0xFFFFFFFF)) * np.uint64(n) >> np.uint64(32)).astype(np.int64)


def compared(exact, singles, most):
    """The rows of one kind of tensor, with at most so many entries each. `singles`: the same from runs in FP32."""
    exact = {name: value.numpy().reshape(-1) for name, value in exact.items()}
    largest = max(np.linalg.norm(value) for value in exact.values())
    rows = []
    for name, r in exact.items():
        chosen, error = entries_of(r.size, most), 0.0
        for single in singles:
            difference = single[name].numpy().reshape(-1).astype(np.float64) - r
            of_chosen = np.linalg.norm(difference[chosen]) * np.sqrt(r.size / chosen.size)
            error = max(error, np.linalg.norm(difference), of_chosen)
        rows.append(
            {
                "name": name,
                "elements": int(r.size),
                "norm": float(f"{np.linalg.norm(r):.12g}"),
                "float32_error": float(f"{error / (np.linalg.norm(r) + 1e-3 * largest):.3g}"),
                "entries": [float(f"{value:.8g}") for value in r[chosen]],
            }
        )
    return rows


def reference(case):
    settings, batch, rates = (CASES[case][key] for key in ("settings", "batch", "rates"))
    model = case.rstrip("0123456789") if case.startswith("resnet") else case
    exact_losses, exact, _ = run(model, settings, batch, torch.float64)
    single_losses, single, _ = run(model, settings, batch, torch.float32)
    result = {
        "format": "spillway-gradient-reference",
        "version": 1,
        "model": model,
        "settings": {key: str(value) for key, value in settings.items()},
        "batch": batch,
        "made_with": f"PyTorch {torch.__version__}",
        "loss": exact_losses[0],
        "loss_float32": single_losses[0],
        "gradients": compared(exact, [single], 256),
        "trainings": [],
    }
    for optimizer, rate in rates.items():
        exact_losses, _, exact = run(model, settings, batch, torch.float64, optimizer, rate)
        singles = [run(model, settings, batch, torch.float32, optimizer, rate, bits) for bits in (0, 1, -1)]
        errors = [max(abs(run_losses[i] - loss) for run_losses, _, _ in singles) for i, loss in enumerate(exact_losses)]
        print(case, optimizer, "losses", exact_losses[0], "->", exact_losses[-1], "FP32", max(errors), file=sys.stderr)
        result["trainings"].append(
            {
                "optimizer": optimizer,
                "learning_rate": rate,
                "losses": exact_losses,
                "loss_float32_errors": errors,
                "changes": compared(exact, [changes for _, _, changes in singles], 64),
            }
        )
    return result


def write(path, result):
    """One row a line, so that a difference reads well."""
    text = json.dumps(result, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('{"optimizer"', '\n{"optimizer"')
    path.write_text(text + "\n")


def main():
    folder = pathlib.Path(__file__).parent.parent / "tests" / "data" / "gradients"
    folder.mkdir(parents=True, exist_ok=True)
    for case in sys.argv[1:] or CASES:
        write(folder / f"{case}.json", reference(case))


if __name__ == "__main__":
    main()
