"""Runs the `spillway` command for the notebooks and gives its results as Python values."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class SpillwayError(RuntimeError):
    """The command is missing or failed; the message is one line."""


def executable():
    """The command: $SPILLWAY, else a build of this repository, else one on PATH."""
    if "SPILLWAY" in os.environ:
        found = shutil.which(os.environ["SPILLWAY"])
        if not found:
            raise SpillwayError(f"SPILLWAY is '{os.environ['SPILLWAY']}', expected a program that can be run")
        return found
    for build in ("release", "dev"):
        candidate = ROOT / "build" / build / "spillway"
        if os.access(candidate, os.X_OK):
            return str(candidate)
    found = shutil.which("spillway")
    if not found:
        raise SpillwayError("found no spillway command; build it with 'make build', or set SPILLWAY to its path")
    return found


def run(*arguments):
    """What `spillway ARGUMENTS --json`, run in the repository's root, prints.

    Exit code 1 is an honest no (nothing fits), and its JSON is given back like any other; all else raises."""
    command = [executable(), *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        lines = done.stderr.strip().splitlines()
        raise SpillwayError(lines[-1] if lines else f"spillway {arguments[0]} ended with {done.returncode}")
    return json.loads(done.stdout)


def flags(options):
    """{"gpus": [1, 2], "set": {"a.b": 3}} -> --gpus 1,2 --set a.b=3"""
    words = []
    for name, value in options.items():
        if name == "set":
            for path, figure in value.items():
                words += ["--set", f"{path}={figure}"]
        else:
            is_list = isinstance(value, (list, tuple))
            words += [f"--{name}", ",".join(map(str, value)) if is_list else str(value)]
    return words


def sweep(trace, **options):
    """The points of a sweep, one dict each; docs/sweep.md tells the keys."""
    return run("sweep", trace, *flags(options))


def tune(trace, **options):
    """The facts of one plan, which is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        return run("tune", trace, *flags(options), "-o", Path(folder) / "plan.json")


def by(points, *keys):
    """Points that fit, found by their values of `keys`: by(points, "platform", "ranks")["gh200", 4]."""
    return {tuple(point[key] for key in keys): point for point in points if point["fits"]}
