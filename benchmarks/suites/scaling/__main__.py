"""Processor time against pixels and classes, Saccade and peers on the same images, with a plot.

    python -m benchmarks.scaling ROOT --plot docs/images/scaling.png

Pixels: thin strokes, image (bicubic) and strokes (nearest, so their width scales) resized to each
size. Classes: the photographs at their own size cut into so many cells, a stroke in each. A method
is not asked for a size that it would need more than --patience seconds for, by its last time grown
in proportion. Prints the fitted exponents, Saccade's with the bound 1, and writes JSON;
--draw JSON plots an earlier run again, without measuring.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names, numbers, positive

if TYPE_CHECKING:
    from benchmarks.suites.scaling.scaling_fit import Point

OURS = "saccade:fast"
METHODS = (OURS, "grabcut", "walker", "forest", "geodesic")
MEGAPIXELS = (0.05, 0.15, 0.5, 1.5, 6.0, 24.0)
CLASSES = (2, 4, 8, 16, 32, 60)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("scaling", __doc__)
    command_line.add_root(parser, "iseg/", nargs="?")
    add = parser.add_argument
    add("--images", type=positive, default=3, help="photographs, spread over the set, default 3")
    add("--megapixels", type=numbers, default=MEGAPIXELS, help="comma-separated, or none")
    add("--classes", type=numbers, default=CLASSES, help="comma-separated, 2 to 255, or none")
    add("--methods", type=names, default=METHODS, help="comma-separated")
    add("--patience", type=float, default=30.0, help="seconds, default 30")
    add("--plot", type=Path, help="PNG to draw (needs matplotlib)")
    add("--draw", type=Path, metavar="JSON", help="draw this earlier run, measure nothing")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure or read an earlier run, print exponents, draw."""
    from benchmarks.harness import checks
    from benchmarks.suites.scaling import scaling_fit
    from saccade.errors import InputError

    if args.draw is not None:
        content = json.loads(args.draw.read_text())
        points = [scaling_fit.Point(**point) for point in content["points"]]
        patience = content["run"]["patience"]
    elif args.root is not None:
        points, patience = _measured(args)
    else:
        raise InputError("ROOT is needed, or --draw")
    print(scaling_fit.score_table(points, scaling_fit.PIXELS))
    print(checks.table(scaling_fit.checks(points, OURS)))
    if args.plot is not None:
        from benchmarks.suites.scaling.plot import draw

        draw(points, patience, args.plot)
        print(f"drawn: {args.plot}")


def _measured(args: argparse.Namespace) -> "tuple[list[Point], float]":
    from dataclasses import asdict

    from benchmarks.harness import checks, results
    from benchmarks.harness.datasets import load_pairs
    from benchmarks.harness.folds import read_folds
    from benchmarks.harness.timing import limit_threads
    from benchmarks.peers.methods import resolve
    from benchmarks.suites.scaling import scaling_fit

    everything = load_pairs(args.root, "thin")
    pairs = everything[:: max(1, len(everything) // args.images)][: args.images]
    methods = [resolve(name, read_folds()) for name in args.methods]
    limit_threads(args.threads)
    points = scaling_fit.over_classes(pairs, methods, map(int, args.classes), args.patience)
    points += scaling_fit.over_pixels(pairs, methods, args.megapixels, args.patience)
    settings = results.machine(args.threads)
    settings |= {"images": [p.stem for p in pairs], "patience": args.patience}
    content = {
        "run": settings,
        "points": [asdict(point) for point in points],
        "checks": checks.as_rows(scaling_fit.checks(points, OURS)),
    }
    path = results.result_path(args, settings)
    results.write_results(path, content)
    results.report_written(path, args)
    return points, args.patience


if __name__ == "__main__":
    sys.exit(main())
