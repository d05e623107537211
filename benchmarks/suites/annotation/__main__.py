"""How many strokes a mask takes when the strokes go where `suggest` says, and elsewhere.

    python -m benchmarks.annotation ROOT --sets thin,single --policies suggest,random,oracle

A simulated annotator draws one stroke a round where the policy says; see `annotator.py` beside
this file. Policies: suggest, random, entropy (the pixel of largest entropy of the probabilities;
with two classes it is ilastik's margin as well), uncertainty (the pixel of largest uncertainty),
spread (the pixel of largest spread over draws), oracle (the largest error, which only the truth
knows: an upper bound). Sets: thin (starts from the thin strokes), single (from the longest of them
for each class). Written: JSON with the machine and the table, with --csv every round, with --chart
a PNG of the curves. Exit code 1 if the data cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names_of, positive

if TYPE_CHECKING:
    from benchmarks.suites.annotation.strokes_needed import Runs

SETS = ("thin", "single")
POLICIES = ("suggest", "random", "entropy", "uncertainty", "spread", "oracle")
THRESHOLDS = (0.90, 0.95)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("annotation", __doc__)
    command_line.add_root(parser, "iseg/")
    command_line.add_selection(parser)
    add = parser.add_argument
    add("--sets", type=names_of(SETS), default=("thin",), help="comma-separated, default thin")
    add("--policies", type=names_of(POLICIES), default=POLICIES, help="comma-separated")
    add("--rounds", type=positive, default=12, help="strokes at most, default 12")
    add("--seeds", type=positive, default=1, help="annotators for each image, default 1")
    add("--chart", type=Path, help="PNG of the mean score over strokes, first set")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Let the annotator work on every set, print the table, write the files."""
    from dataclasses import asdict

    from benchmarks.harness import results
    from benchmarks.harness.datasets import load_pairs
    from benchmarks.suites.annotation import strokes_needed
    from benchmarks.suites.annotation.annotator import annotate_all, one_stroke_a_class

    keys = ("sets", "policies", "rounds", "seeds", "limit", "every")
    settings = results.machine(args.threads) | {key: getattr(args, key) for key in keys}
    path = results.result_path(args, settings)
    pairs = load_pairs(args.root, "thin", limit=args.limit, every=args.every)
    rows: list[strokes_needed.Needed] = []
    lines: list[dict[str, object]] = []
    for name in args.sets:
        runs = annotate_all(
            [one_stroke_a_class(pair) for pair in pairs] if name == "single" else pairs,
            args.policies,
            rounds=args.rounds,
            enough=max(THRESHOLDS),
            seeds=range(args.seeds),
        )
        rows += strokes_needed.compare(name, runs, thresholds=THRESHOLDS, limit=args.rounds)
        lines += [
            {"set": name, "policy": policy, "seed": seed, **asdict(step)}
            for policy, images in runs.items()
            for image in images
            for seed, steps in enumerate(image)
            for step in steps
        ]
        content = {"run": settings, "table": [asdict(row) for row in rows]}
        results.write_results(path, content, lines if args.csv else None)
        if args.chart and name == args.sets[0]:
            _draw_chart(args, runs)
    print(strokes_needed.table(rows))
    results.report_written(path, args)


def _draw_chart(args: argparse.Namespace, runs: "dict[str, Runs]") -> None:
    from benchmarks.harness import charts
    from benchmarks.suites.annotation.strokes_needed import mean_curve

    curves = {
        policy: list(enumerate(mean_curve(images, "mean_iou", args.rounds).tolist()))
        for policy, images in runs.items()
    }
    charts.lines(args.chart, curves, across="strokes added", up="mean IoU")


if __name__ == "__main__":
    sys.exit(main())
