"""Processor time against pixels and classes, Saccade and peers on the same images, with a plot.

    python benchmarks/scaling.py ROOT --plot docs/images/scaling.png

Pixels: thin strokes, image (bicubic) and strokes (nearest, so their width scales) resized to each
size. Classes: the photographs at their own size cut into so many cells, a stroke in each. A method
is not asked for a size that it would need more than --patience seconds for, by its last time grown
in proportion. Prints the fitted exponents, Saccade's with the bound 1, and writes a JSON under
--out; --draw JSON plots an earlier run again, without measuring.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.growth import Point

# NumPy and everything above it are imported in `main`, after the thread limit is in the
# environment: OpenMP and BLAS read it once, when they are loaded.
HERE = Path(__file__).resolve().parent
OURS = "saccade:fast"
METHODS = (OURS, "grabcut", "walker", "forest", "geodesic")
MEGAPIXELS = (0.05, 0.15, 0.5, 1.5, 6.0, 24.0)
CLASSES = (2, 4, 8, 16, 32, 60)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    summary, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="scaling.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", type=Path, nargs="?", help="folder with iseg/")
    add("--images", type=int, default=3, help="photographs, spread over the set")
    add("--megapixels", type=_numbers, default=MEGAPIXELS, help="comma-separated, or none")
    add("--classes", type=_numbers, default=CLASSES, help="comma-separated, 2 to 255, or none")
    add("--methods", type=lambda text: tuple(text.split(",")), default=METHODS)
    add("--patience", type=float, default=30.0, help="seconds, default 30")
    add("--threads", type=int, default=1, help="threads of every library, default 1")
    add("--name", default="scaling", help="of the result file, default scaling")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
    add("--plot", type=Path, help="PNG to draw (needs matplotlib)")
    add("--draw", type=Path, metavar="JSON", help="draw this earlier run, measure nothing")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.root is None and args.draw is None:
        parser.error("ROOT is needed, or --draw")
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(args.threads)
    for folder in (HERE.parent, HERE.parent / "src"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    from saccade.errors import InputError

    try:
        _run(args)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    from benchmarks import checks, growth

    if args.draw is None:
        points, patience = _measured(args)
    else:
        content = json.loads(args.draw.read_text())
        points = [growth.Point(**point) for point in content["points"]]
        patience = content["run"]["patience"]
    print(growth.score_table(points, growth.PIXELS))
    print(checks.table(growth.checks(points, OURS)))
    if args.plot is not None:
        from benchmarks.growth_plot import draw

        draw(points, patience, args.plot)
        print(f"drawn: {args.plot}")


def _measured(args: argparse.Namespace) -> "tuple[list[Point], float]":
    from benchmarks import checks, growth, report
    from benchmarks.datasets import load_pairs
    from benchmarks.folds import read_folds
    from benchmarks.methods import limit_threads, resolve

    everything = load_pairs(args.root, "thin")
    pairs = everything[:: max(1, len(everything) // args.images)][: args.images]
    methods = [resolve(name, read_folds()) for name in args.methods]
    limit_threads(args.threads, methods)
    points = growth.over_classes(pairs, methods, map(int, args.classes), args.patience)
    points += growth.over_pixels(pairs, methods, args.megapixels, args.patience)
    machine = report.machine(args.threads)
    content = {
        "run": machine | {"images": [p.stem for p in pairs], "patience": args.patience},
        "points": [asdict(point) for point in points],
        "checks": checks.as_rows(growth.checks(points, OURS)),
    }
    target = args.out / report.file_stem(machine, args.name)
    report.write_json(target, content)
    print(f"written: {target}.json")
    return points, args.patience


def _numbers(text: str) -> tuple[float, ...]:
    return () if text == "none" else tuple(float(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
