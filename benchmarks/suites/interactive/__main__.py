"""Masks from strokes: Saccade and its peers on the same images, one after the other in one run.

    python -m benchmarks.interactive ROOT --sets thin,full --methods saccade:fast,grabcut --sheet

Methods: saccade:PRESET (fast, best, paper), saccade:paper+VARIANT (gdc, dilated6, normal,
deformable, uniform, random, ...), nearest, geodesic, forest, walker, grabcut, cut-histogram,
cut-gmm, convpaint (where napari-convpaint is installed). METHOD@SET runs on that set alone,
METHOD@SET/SET on those. The first one is what the others are compared with; --before adds the
scores of an earlier run, its JSON file. Images that the bundled weights were trained on are
segmented with those of --folds that have not seen them.
Sets: thin, full, dense, camvid, repeated_objects (coins and cells of which a few are stroked).
ROOT is laid out as in benchmarks/harness/datasets.py. Written: JSON with the machine, with --csv
the score of every image, with --sheet a PNG of the worst cases. Exit code 1 if the data cannot be
read or a method failed on an image.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names, whole_numbers

FOLDS = Path(__file__).resolve().parents[2] / "folds"
SETS = ("thin", "full", "dense", "camvid")
METHODS = (
    "saccade:fast,saccade:best@thin/full/dense,saccade:paper@thin/full/dense,"
    "grabcut,cut-gmm,cut-histogram,geodesic,nearest"
)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("interactive", __doc__)
    command_line.add_root(parser, "iseg/ and camvid/")
    command_line.add_selection(parser)
    add = parser.add_argument
    add("--sets", type=names, default=SETS, help="comma-separated, default all but the last")
    add("--methods", type=names, default=names(METHODS), help="comma-separated, best first")
    add("--seeds", type=whole_numbers, default=(0,), help="comma-separated, for methods that draw")
    add("--before", type=Path, help="JSON of an earlier run, its scores beside the new ones")
    add("--folds", type=Path, default=FOLDS, help="weights of a cross-validation")
    add("--sheet", action="store_true", help="also draw the worst cases of the first method")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> int:
    """Measure set by set, print the table, write the files; returns the exit code."""
    from benchmarks.suites.interactive.measure import measure_sets

    return measure_sets(args)


if __name__ == "__main__":
    sys.exit(main())
