"""What is measured from outside, in processes of their own: memory, start-up, batches."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.harness.checks import Check
from benchmarks.harness.datasets import Pair, resized
from benchmarks.suites.scaling.scaling_fit import in_regions

MEGABYTE = 1e6
START_BOUND = 0.3  # seconds
ROUNDS = 7  # of each start; the median counts

# Prints the peak in bytes after `import torch` and after a fit. The peak of this process' own
# memory: ru_maxrss would begin with what the process that started it had.
FIT = """
import resource, sys

def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024
    except OSError:
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale

import torch
torch.set_num_threads(int(sys.argv[4]))
before = peak()
import numpy as np
from saccade import segment
segment(np.load(sys.argv[1]), np.load(sys.argv[2]), preset=sys.argv[3], device="cpu")
print(before, peak())
"""


def memory(pair: Pair, threads: int) -> list[Check]:
    """Peak memory of one fit, on the image reduced or enlarged to the sizes with a bound."""
    small, large = (375, 500), (4000, 6000)
    if pair.image.shape[0] > pair.image.shape[1]:
        small, large = small[::-1], large[::-1]
    checks = []
    for preset in ("fast", "best", "paper"):
        before, after = _peaks(resized(pair, small), preset, threads)
        name = f"peak memory of {preset} at 500x375 above import torch"
        checks.append(Check(name, (after - before) / MEGABYTE, 400.0, "MB"))
    enlarged = resized(pair, large)
    for name, one in (("", enlarged), (", 11 classes", resized(in_regions(pair, 11), large))):
        _, after = _peaks(one, "fast", threads)
        bound = None if name else 3000.0
        name = f"peak memory of fast at 6000x4000{name}, all"
        checks.append(Check(name, after / MEGABYTE, bound, "MB"))
    return checks


def start_up() -> list[Check]:
    """Median wall time of answers that need no network, the starts taken in turns."""
    commands = {
        "saccade --help": ["--help"],
        "saccade segment --help": ["segment", "--help"],
        "wrong argument": ["segment", "photo.jpg", "--no-such-option"],
        "missing file": ["segment", "missing.jpg", "missing.png", "-o", "out"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name, arguments in commands.items():
                seconds[name].append(_timed(_saccade(*arguments), Path(folder)))
    return [
        Check(f"{name}, median of {ROUNDS}", float(np.median(taken)), START_BOUND, "s")
        for name, taken in seconds.items()
    ]


def batch(pairs: Sequence[Pair], count: int = 5) -> list[Check]:
    """How often a batch pays for its start: one folder of images against as many single calls.

    With a start of s seconds, paid n times by the batch, and w seconds of work, the batch takes
    n s + w and the single calls count * s + w. A single call on a tiny image measures s.
    """
    pairs = [pairs[i % len(pairs)] for i in range(count)]
    tiny = resized(pairs[0], (32, 32))
    with _files([*pairs, tiny]) as root:
        images, strokes = root / "images", root / "strokes"
        names = [f"{i}.png" for i in range(count)]
        single = [_segment(images / n, strokes / n, root / f"single{n}") for n in names]
        start = min(
            _segment(images / f"{count}.png", strokes / f"{count}.png", root / f"tiny{i}")
            for i in range(2)
        )
        for folder in (images, strokes):
            (folder / f"{count}.png").unlink()
        together = _segment(images, strokes, root / "batch")
    return [
        Check("saccade segment, one image of 32x32: the start", start, unit="s"),
        Check(f"{count} images one by one", sum(single), unit="s"),
        Check(f"{count} images in a folder", together, unit="s"),
        Check("starts paid by the folder", count - (sum(single) - together) / start, 2.0),
    ]


def _peaks(pair: Pair, preset: str, threads: int) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as folder:
        image, strokes = Path(folder, "image.npy"), Path(folder, "strokes.npy")
        np.save(image, pair.image)
        np.save(strokes, pair.strokes)
        command = [sys.executable, "-c", FIT, str(image), str(strokes), preset, str(threads)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    return before, after


@contextmanager
def _files(pairs: Sequence[Pair]) -> Iterator[Path]:
    """A folder with images/N.png and strokes/N.png."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("images", "strokes"):
            (root / name).mkdir()
        for number, pair in enumerate(pairs):
            Image.fromarray(pair.image).save(root / "images" / f"{number}.png")
            Image.fromarray(pair.strokes).save(root / "strokes" / f"{number}.png")
        yield root


def _segment(image: Path, strokes: Path, out: Path) -> float:
    options = ["-o", str(out), "--unlabeled", "255", "--device", "cpu", "--quiet"]
    return _timed(_saccade("segment", str(image), str(strokes), *options), out.parent, code=0)


def _saccade(*arguments: str) -> list[str]:
    """The installed script, as a user starts it; the module where there is none."""
    script = Path(sys.executable).with_name("saccade")
    program = [str(script)] if script.is_file() else [sys.executable, "-m", "saccade.cli"]
    return [*program, *arguments]


def _timed(command: Sequence[str], folder: Path, code: int | None = None) -> float:
    """Wall time of a process; CalledProcessError if it ends with another code than told."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, env=os.environ, check=False)
    seconds = time.perf_counter() - start
    if code is not None and done.returncode != code:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return seconds
