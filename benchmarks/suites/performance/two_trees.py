"""The same calls in two checkouts, in turns: is this tree as fast as the other, and the same?

Each tree has a worker, a process of its own that imports saccade from there. On every image both
run every method, one directly after the other and in alternating order; what counts is the ratio of
such a pair, which other load on the machine changes little.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.datasets import Pair
from benchmarks.suites.performance.interleaved import without_one_stroke
from saccade.errors import InputError

WORKER = Path(__file__).resolve().with_name("tree_worker.py")
THIS_TREE = WORKER.parents[3]
CLOCKS = ("seconds", "processor")
RESAMPLES = 2000


@dataclass(frozen=True)
class Comparison:
    """One method in both trees: this tree's time divided by the other's."""

    method: str
    ratios: Mapping[str, NDArray[np.float64]]  # clock -> one per image, median over the rounds
    different: tuple[str, ...]  # stems of the images whose masks are not the same


def compare(
    pairs: Sequence[Pair], methods: Sequence[str], other: Path, *, rounds: int, threads: int
) -> list[Comparison]:
    """Time the methods here and in another checkout.

    Args:
        pairs: images with strokes.
        methods: presets, or "update": one more stroke with the preset ``fast``.
        other: root of the other checkout, which has src/saccade.
        rounds: pairs of calls on each image.
        threads: of PyTorch, in each worker.

    Returns:
        One comparison for each method.

    Raises:
        InputError: `other` is no checkout, or a worker failed.
    """
    ratios: dict[str, dict[str, list[float]]] = {m: defaultdict(list) for m in methods}
    different: dict[str, list[str]] = {method: [] for method in methods}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        trees = [stack.enter_context(_worker(t, threads)) for t in (THIS_TREE, other.resolve())]
        for number, pair in enumerate(pairs):
            file = folder / f"{number}.npz"
            before = without_one_stroke(pair.strokes)
            np.savez(file, image=pair.image, strokes=pair.strokes, before=before)
            for method in methods:
                here, there = _in_turns(trees, method, file, rounds, warm=number == 0)
                for clock in CLOCKS:
                    each = [a[clock] / b[clock] for a, b in zip(here, there, strict=True)]
                    ratios[method][clock].append(float(np.median(each)))
                if here[0]["mask"] != there[0]["mask"]:
                    different[method].append(pair.stem)
            last = ", ".join(f"{m} {ratios[m]['seconds'][-1]:.3f}" for m in methods)
            print(f"[{number + 1}/{len(pairs)}] {pair.stem}: {last}", file=sys.stderr, flush=True)
    return [
        Comparison(
            method, {c: np.array(ratios[method][c]) for c in CLOCKS}, tuple(different[method])
        )
        for method in methods
    ]


def interval(ratios: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the median of ratios (N,), by bootstrap over the images."""
    picks = np.random.default_rng(0).integers(len(ratios), size=(RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(ratios[picks], axis=1), [0.025, 0.975])
    return float(low), float(high)


def table(found: Sequence[Comparison]) -> str:
    """The aligned table: median over images, its 95 % interval, and the quartiles of the images."""
    head = f"{'this / other':12}  {'clock':9}  {'n':>3}  median  95 % of the median  quartiles"
    lines = [head, "-" * len(head)]
    for row in found:
        for clock in CLOCKS:
            values = row.ratios[clock]
            low, high = interval(values)
            first, third = np.quantile(values, [0.25, 0.75])
            lines.append(
                f"{row.method:12}  {clock:9}  {len(values):3}  {np.median(values):6.3f}  "
                f"{f'{low:.3f} .. {high:.3f}':>18}  {first:.3f} .. {third:.3f}"
            )
    for row in found:
        verdict = f"differ on {', '.join(row.different)}" if row.different else "are the same"
        lines.append(f"masks of {row.method} {verdict}")
    return "\n".join(lines)


def _in_turns(
    trees: Sequence["_Worker"], method: str, file: Path, rounds: int, *, warm: bool
) -> tuple[list[dict[str, Any]], ...]:
    """The answers of both trees, one for each round."""
    if warm:  # the first call loads libraries and weights
        for tree in trees:
            tree.ask(method, file)
    answers: tuple[list[dict[str, Any]], ...] = ([], [])
    for turn in range(rounds):
        for index in (0, 1) if turn % 2 == 0 else (1, 0):
            answers[index].append(trees[index].ask(method, file))
    return answers


class _Worker:
    """A running worker, which answers one call at a time."""

    def __init__(self, tree: Path, process: "subprocess.Popen[str]") -> None:
        self._tree, self._process = tree, process

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise InputError(f"{self._tree}: the worker ended; its error is above")
        return dict(json.loads(line))

    def ask(self, method: str, file: Path) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"method": method, "file": str(file)}) + "\n")
        self._process.stdin.flush()
        return self.answer()


@contextmanager
def _worker(tree: Path, threads: int) -> Iterator[_Worker]:
    source = tree / "src"
    if not (source / "saccade").is_dir():
        raise InputError(f"{tree}: no src/saccade there; --against wants the root of a checkout")
    command = [sys.executable, "-P", str(WORKER), str(threads)]
    environment = os.environ | {"PYTHONPATH": str(source)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        try:
            worker = _Worker(tree, process)
            loaded = Path(worker.answer()["loaded"]).resolve()
            if not loaded.is_relative_to(source.resolve()):
                raise InputError(f"{tree}: its worker loaded {loaded} instead")
            yield worker
        finally:
            process.kill()
