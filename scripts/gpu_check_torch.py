"""PyTorch beside Spillway, for scripts/gpu-check: seconds of a training step of ResNet-50, batch 64, 224^2, FP32.

usage: gpu_check_torch.py FOLDER [--dry-run]

FOLDER holds `references`, the networks. Prints JSON: what was measured and its figure. Exit code 3: no PyTorch, no GPU.
"""

import json
import statistics
import sys
import time

WARMUPS, REPEATS = 5, 15
MOMENTUM, RATE = 0.9, 0.01


def no(why):
    print(why)
    sys.exit(3)


def main():
    sys.path.insert(0, sys.argv[1])
    dry_run = "--dry-run" in sys.argv
    try:
        import torch
        from torch.utils.checkpoint import checkpoint
        from references.networks import Weights, resnet
    except ImportError as error:
        no(f"PyTorch isn't in this Python: {error}")
    if not dry_run and not torch.cuda.is_available():
        no("PyTorch sees no GPU")
    place = torch.device("cpu" if dry_run else "cuda")
    batch, side, depth, classes = (2, 32, 18, 10) if dry_run else (64, 224, 50, 1000)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True

    class PlacedWeights(Weights):
        """The same parameters on the GPU; their values are random, since only time is asked for."""

        def uniform(self, name, shape, bound):
            if name not in self.parameters:
                values = torch.empty(shape, device=place, dtype=self.dtype).uniform_(-bound, bound)
                if values.dim() == 4:
                    values = values.to(memory_format=self.memory_format)
                self.parameters[name] = values.requires_grad_()
            return self.parameters[name]

        def constant(self, name, size, value):
            if name not in self.parameters:
                self.parameters[name] = torch.full((size,), value, dtype=self.dtype, device=place, requires_grad=True)
            return self.parameters[name]

        def statistic(self, name, size, value):
            return self.statistics.setdefault(name, torch.full((size,), value, dtype=self.dtype, device=place))

    def finish():
        if place.type == "cuda":
            torch.cuda.synchronize()

    def step_seconds(memory_format, deterministic, wrap=lambda f: f, offload=False, recompute=False):
        """Median seconds of a step, and the most memory that was allocated in one."""
        torch.backends.cudnn.deterministic = deterministic
        weights = PlacedWeights(torch.float32)
        weights.memory_format = memory_format
        image = torch.rand(batch, 3, side, side, device=place).to(memory_format=memory_format)
        labels = torch.randint(classes, (batch,), device=place)
        resnet(weights, image, labels, classes, depth)  # makes the parameters
        optimizer = torch.optim.SGD(weights.parameters.values(), lr=RATE, momentum=MOMENTUM)
        run = (lambda block, x: checkpoint(block, x, use_reentrant=False)) if recompute else (lambda block, x: block(x))
        forward = wrap(lambda image, labels: resnet(weights, image, labels, classes, depth, run))

        def step():
            optimizer.zero_grad(set_to_none=True)
            if offload:
                with torch.autograd.graph.save_on_cpu(pin_memory=place.type == "cuda"):
                    loss = forward(image, labels)
            else:
                loss = forward(image, labels)
            loss.backward()
            optimizer.step()

        times = []
        for i in range(WARMUPS + REPEATS):
            if i == WARMUPS and place.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            finish()
            begun = time.perf_counter()
            step()
            finish()
            times.append(time.perf_counter() - begun)
        peak = torch.cuda.max_memory_allocated() if place.type == "cuda" else 0
        return statistics.median(times[WARMUPS:]), peak

    def tell(name, text):
        """A line of JSON for each, so that whoever stops this has what is known by then."""
        print(json.dumps({name: text}), flush=True)

    tell("version", f"{torch.__version__}, cuDNN {torch.backends.cudnn.version()}")

    def measure(name, *arguments, **options):
        try:
            seconds, peak = step_seconds(*arguments, **options)
            tell(name, f"{1e3 * seconds:.2f} ms, peak {peak / 2**30:.2f} GiB")
        except Exception as error:  # one way that fails must not take the others along
            tell(name, f"failed: {type(error).__name__}: {str(error)[:120]}".splitlines()[0])

    for layout, memory_format in (("channels first", torch.contiguous_format), ("channels last", torch.channels_last)):
        for deterministic in (True, False):
            measure(f"eager, {layout}, {'deterministic' if deterministic else 'free'}", memory_format, deterministic)
    measure("save_on_cpu, channels first, deterministic", torch.contiguous_format, True, offload=True)
    measure("checkpointed blocks, channels first, deterministic", torch.contiguous_format, True, recompute=True)
    if not dry_run:
        measure("torch.compile, channels last", torch.channels_last, False, wrap=torch.compile)


main()
