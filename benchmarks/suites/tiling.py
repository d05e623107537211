"""Large images: pictures repeated with their strokes, photographs enlarged, time and memory.

    python -m benchmarks.tiling ROOT

"tiled": each picture of `repeated_objects` N x N times beside itself, strokes and all: how much
image there is around a thing must not change its mask. "enlarged": photographs of ROOT/thin and
ROOT/full and their strokes at four times their sides, by bilinear interpolation, which shows
nothing more: scores must stay. "size": cells with strokes, repeated up to so many megapixels, and
one of them enlarged to the same size; each in a process of its own, whose largest resident memory
is printed, by processor time. Scores are the mean IoU of the classes of an image.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import command_line
from benchmarks.harness.timing import peak_memory

PARTS = ("tiled", "enlarged", "size")
_TIMES = 4  # of the sides of an enlarged photograph
_CELLS = 1  # index of the picture whose copies are timed: three cells with strokes


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("tiling", __doc__)
    command_line.add_root(parser, "thin, full")
    add = parser.add_argument
    add("--parts", type=command_line.names_of(PARTS), default=PARTS, help="default %(default)s")
    add("--preset", default="fast", help="default %(default)s")
    add("--every", type=command_line.positive, default=1, help="every n-th picture")
    add("--tiles", type=command_line.whole_numbers, default=(1, 2, 4), help="default %(default)s")
    add("--sets", type=command_line.names, default=("thin", "full"), help="default %(default)s")
    add(
        "--megapixels",
        type=command_line.numbers,
        default=(1, 2, 4, 8, 24),
        help="default %(default)s",
    )
    add("--seed", type=int, default=0, help="default %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure every part, print and write the results."""
    from benchmarks.harness import results
    from benchmarks.harness.timing import limit_threads

    limit_threads(args.threads)
    settings = results.machine(args.threads) | {"preset": args.preset, "seed": args.seed}
    path = results.result_path(args, settings)
    rows: dict[str, list[dict[str, Any]]] = {}
    measure = {"tiled": tiled, "enlarged": enlarged, "size": sizes}
    for part in args.parts:
        rows[part] = []
        for row in measure[part](args):
            print(part, *(f"{key} {_text(value)}" for key, value in row.items()), flush=True)
            rows[part].append(row)
            results.write_results(path, {"run": settings, **rows})
        if part != "size":
            print(part, *_summary(rows[part]))
    results.report_written(path, args)


def tiled(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Scores of each picture N x N times beside itself."""
    from benchmarks.harness.repeated_objects import repeated_objects

    for pair in repeated_objects()[:: args.every]:
        row: dict[str, Any] = {"picture": pair.stem}
        for count in args.tiles:
            maps = (pair.image, pair.strokes, pair.truth)
            image, strokes, truth = (repeated(one, count, count) for one in maps)
            row[f"x{count}"] = score(image, strokes, truth, args)
        yield row


def enlarged(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Scores of photographs, and of the same enlarged."""
    from benchmarks.harness.datasets import load_pairs

    for name in args.sets:
        for pair in load_pairs(args.root, name)[:: args.every]:
            maps = (pair.strokes, pair.truth)
            strokes, truth = (np.kron(one, np.ones((_TIMES, _TIMES), np.uint8)) for one in maps)
            yield {
                "picture": f"{name}/{pair.stem}",
                "x1": score(pair.image, pair.strokes, pair.truth, args),
                f"x{_TIMES}": score(larger(pair.image, _TIMES), strokes, truth, args),
            }


def sizes(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Processor seconds and memory by size; of many things, and of one that is as large."""
    for content in ("tiled", "enlarged"):
        before: dict[str, Any] = {}
        for megapixels in args.megapixels:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                options = (content, megapixels, args.preset, args.seed, args.threads)
                found = pool.apply(measured, options)
            row = {"content": content} | found
            before = before or row
            more = row["megapixels"] - before["megapixels"]
            if more > 0:
                row["s_a_further_mp"] = (row["processor"] - before["processor"]) / more
            yield row


def measured(
    content: str, megapixels: float, preset: str, seed: int, threads: int
) -> dict[str, Any]:
    """One image, in a process that does nothing else; the first call, which loads, is apart."""
    import saccade
    from benchmarks.harness.repeated_objects import repeated_objects
    from benchmarks.harness.timing import limit_threads, timed

    limit_threads(threads)
    pair = repeated_objects()[_CELLS]
    saccade.segment(pair.image, pair.strokes, preset=preset, seed=seed)
    side = (megapixels * 1e6 / pair.truth.size) ** 0.5
    if content == "tiled":
        across = max(1, round(side))
        down = max(1, round(side * side / across))
        image, strokes = (repeated(one, down, across) for one in (pair.image, pair.strokes))
    else:
        count = max(1, round(side))
        image = larger(pair.image, count)
        strokes = np.kron(pair.strokes, np.ones((count, count), np.uint8))
    done = timed(lambda: saccade.segment(image, strokes, preset=preset, seed=seed))
    return {
        "megapixels": strokes.size / 1e6,
        "processor": done.processor,
        "seconds": done.seconds,
        "peak_mb": peak_memory() / 2**20,
        "remarks": list(done.result.remarks),
    }


def score(
    image: NDArray[np.uint8],
    strokes: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    args: argparse.Namespace,
) -> float:
    """Mean IoU of the classes that the truth has."""
    import saccade
    from saccade.evaluation.metrics import confusion_matrix, mean_iou

    found = saccade.segment(image, strokes, preset=args.preset, seed=args.seed)
    return float(mean_iou(confusion_matrix(truth, found.labels.astype(np.uint8), 2)))


def repeated(values: NDArray[np.uint8], down: int, across: int) -> NDArray[np.uint8]:
    """Copies of an array (H, W, ...) below and beside each other."""
    return np.tile(values, (down, across) + (1,) * (values.ndim - 2))


def larger(image: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """An image of so many times the sides."""
    from PIL import Image

    size = image.shape[1] * times, image.shape[0] * times
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def _summary(rows: list[dict[str, Any]]) -> list[str]:
    columns = [key for key in rows[0] if key != "picture"]
    means = [f"{key} {np.mean([row[key] for row in rows]):.3f}" for key in columns]
    changes = [row[columns[-1]] - row[columns[0]] for row in rows]
    return ["mean", *means, f"worst change {min(changes):+.3f}"]


def _text(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
