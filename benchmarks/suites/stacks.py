"""Stacks from strokes on a few slices: seconds a slice, peak memory, IoU on the other slices.

    python -m benchmarks.stacks ROOT

"ellipsoids" is made: slices of 12 bits with ellipsoids in noise, ever darker with depth, of which
three have strokes. "membranes" is ROOT/fields/membranes, 15 of the 30 slices of the ISBI 2012
stack in order, five with strokes; scored are those without that the bundled weights have not seen.
Two methods have the same strokes: "stack" is `saccade.segment_stack`, "model" is `saccade.fit` and
`predict`, which knows nothing of neighbors. IoU is the mean of both classes over all scored pixels.
Each run has a process of its own, whose largest resident memory is what is printed.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import command_line
from benchmarks.harness.timing import peak_memory

STACKS = ("ellipsoids", "membranes")
METHODS = ("stack", "model")
UNKNOWN = 255
_STROKED = 3  # slices of the ellipsoids


@dataclass(frozen=True)
class Stack:
    """A stack with its truth.

    Attributes:
        values: (Z, H, W) numbers.
        truth: (Z, H, W) class, 255 unknown.
        strokes: slice -> (H, W) class, 255 where nobody drew.
        scored: slices that count.
    """

    values: NDArray[Any]
    truth: NDArray[np.uint8]
    strokes: dict[int, NDArray[np.uint8]]
    scored: tuple[int, ...]


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("stacks", __doc__)
    command_line.add_root(parser, "fields/membranes")
    add = parser.add_argument
    add("--stacks", type=command_line.names, default=STACKS, help="default %(default)s")
    add("--methods", type=command_line.names, default=METHODS, help="default %(default)s")
    add("--preset", default="fast", help="default %(default)s")
    add("--slices", type=command_line.positive, default=24, help="of ellipsoids, default 24")
    add("--side", type=command_line.positive, default=320, help="of these, default 320 pixels")
    add("--seed", type=int, default=0, help="default %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure every stack by every method, print and write the results."""
    from benchmarks.harness import results
    from saccade.errors import InputError

    for given, known in ((args.stacks, STACKS), (args.methods, METHODS)):
        if unknown := [name for name in given if name not in known]:
            raise InputError(f"{unknown[0]}: expected {', '.join(known)}")
    settings = results.machine(args.threads) | {"preset": args.preset, "seed": args.seed}
    path = results.result_path(args, settings)
    lines: list[dict[str, Any]] = []
    print(f"{'stack':<12} {'size':<15} {'method':<7} {'IoU':>6} {'s a slice':>10} {'MB':>6}")
    for name in args.stacks:
        stack = made_stack(args.slices, args.side) if name == "ellipsoids" else read(args.root)
        for method in args.methods:
            found = in_own_process(stack, method, args.preset, args.seed, args.threads)
            size = "x".join(map(str, stack.values.shape))
            line = {"stack": name, "size": size, "stroked": len(stack.strokes)}
            lines.append(line | {"scored": len(stack.scored), "method": method} | found)
            print(
                f"{name:<12} {size:<15} {method:<7} {found['iou']:>6.3f} "
                f"{found['seconds_a_slice']:>10.2f} {found['peak_mb']:>6.0f}",
                flush=True,
            )
            results.write_results(path, {"run": settings, "rows": lines})
    results.report_written(path, args)


def made_stack(slices: int, side: int) -> Stack:
    """Ellipsoids in noise, with strokes on some slices."""
    from saccade.scribbles.simulate import CLASSES, simulate_strokes

    rng = np.random.default_rng(0)
    z, y, x = np.ogrid[:slices, :side, :side]
    truth = np.zeros((slices, side, side), np.uint8)
    for _ in range(max(4, slices * side * side // 80_000)):
        cz, cy, cx = rng.uniform(0, (slices, side, side))
        rz, ry, rx = rng.uniform((2, 10, 10), (5, 26, 26))
        truth[((z - cz) / rz) ** 2 + ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = 1
    fade = np.linspace(1, 0.6, slices)[:, None, None]
    values = (300.0 + 260.0 * truth) * fade + rng.normal(0, 60, truth.shape)
    places = np.linspace(1, slices - 2, _STROKED).round().astype(int)
    strokes = {int(k): simulate_strokes(truth[k], rng, styles=CLASSES) for k in places}
    scored = tuple(k for k in range(slices) if k not in strokes)
    return Stack(values.clip(0, 4095).astype(np.uint16), truth, strokes, scored)


def read(root: Path) -> Stack:
    """The slices of membranes in their order."""
    from benchmarks.suites.kinds.data import load_kind

    kind = load_kind(root, "membranes")
    unseen = {one.stem for one in kind.scored}
    whole = sorted([*kind.stroked, *kind.scored], key=lambda one: int(one.stem))
    return Stack(
        np.stack([one.image[..., 0] for one in whole]),
        np.stack([one.truth for one in whole]),
        {k: one.strokes for k, one in enumerate(whole) if one.strokes is not None},
        tuple(k for k, one in enumerate(whole) if one.stem in unseen),
    )


def in_own_process(stack: Stack, *options: Any) -> dict[str, Any]:
    """What `measured` returns, from a process that does nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, (stack, *options))


def measured(stack: Stack, method: str, preset: str, seed: int, threads: int) -> dict[str, Any]:
    """Mean IoU, seconds a slice (all of them, the fit included) and the largest resident memory."""
    from benchmarks.harness.timing import limit_threads, timed
    from saccade.evaluation.metrics import confusion_matrix, mean_iou

    limit_threads(threads)
    call = segment_stack if method == "stack" else segment_by_model
    done = timed(lambda: call(stack, preset, seed))
    matrix = sum(
        confusion_matrix(stack.truth[k], done.result[k].astype(np.uint8), 2) for k in stack.scored
    )
    count = len(stack.values)
    return {
        "iou": float(mean_iou(matrix)),
        "seconds_a_slice": done.seconds / count,
        "processor_seconds_a_slice": done.processor / count,
        "peak_mb": peak_memory() / 2**20,
    }


def segment_stack(stack: Stack, preset: str, seed: int) -> NDArray[np.int32]:
    """All slices together."""
    import saccade

    return saccade.segment_stack(
        stack.values, stack.strokes, axes="ZYX", unlabeled=UNKNOWN, preset=preset, seed=seed
    ).labels


def segment_by_model(stack: Stack, preset: str, seed: int) -> NDArray[np.int32]:
    """A model of the slices with strokes, and each slice alone."""
    import saccade

    drawn = [stack.strokes.get(k) for k in range(len(stack.values))]
    shown = [k for k, one in enumerate(drawn) if one is not None]
    model = saccade.fit(
        [stack.values[k] for k in shown],
        [drawn[k] for k in shown],
        preset=preset,
        seed=seed,
        unlabeled=UNKNOWN,
    )
    return np.stack([model.predict(plane).labels for plane in stack.values])


if __name__ == "__main__":
    sys.exit(main())
