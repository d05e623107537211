"""Are the probabilities calibrated, and which measure of uncertainty finds the errors best?

    python -m benchmarks.calibration ROOT --sets thin,full,camvid

Preset fast, from the strokes of each set; pixels with a stroke or without a ground truth stay out.
Measures: uncertainty (what a result carries), entropy and margin (ilastik's) of the final
probabilities, both (mean of uncertainty and margin), spread (standard deviation over draws of the
sampling positions) and network (entropy of the fitted network alone). AUROC: how often a wrong
pixel is more uncertain than a right one. AUSE: area between the sparsification curve and the best
possible one, 0 is best. Written: JSON with the machine, the
tables and the reliability diagram, with --csv every image, with --chart that diagram as PNG. Exit
code 1 if the data cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names_of

SETS = ("thin", "full", "dense", "camvid")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("calibration", __doc__)
    command_line.add_root(parser, "iseg/ and camvid/")
    command_line.add_selection(parser)
    add = parser.add_argument
    sets = ("thin", "full", "camvid")
    add("--sets", type=names_of(SETS), default=sets, help="comma-separated")
    add("--seed", type=int, default=0, help="of the fits, default 0")
    add("--chart", type=Path, help="PNG of the reliability diagram")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure every set, print the tables, write the files."""
    from dataclasses import asdict

    from benchmarks.harness import results
    from benchmarks.harness.datasets import load_pairs
    from benchmarks.suites.calibration import uncertainty_metrics as metrics

    sets = {
        name: load_pairs(args.root, name, limit=args.limit, every=args.every) for name in args.sets
    }
    options = {key: getattr(args, key) for key in ("seed", "limit", "every")}
    settings = results.machine(args.threads) | options
    path = results.result_path(args, settings)
    rows: list[metrics.Row] = []
    diagrams: dict[str, metrics.Diagram] = {}
    lines: list[dict[str, object]] = []
    for name, pairs in sets.items():
        measured = []
        for index, pair in enumerate(pairs):
            measured.append(metrics.measure(pair, args.seed))
            lines += metrics.as_lines(name, measured[-1])
            progress = f"[{name} {index + 1}/{len(pairs)}] {pair.stem}"
            print(f"{progress}: {measured[-1].wrong:.1%} wrong", file=sys.stderr, flush=True)
        rows += metrics.summarize(name, measured)
        diagrams[name] = metrics.diagram(measured)
        content = {
            "run": settings,
            "temperatures": metrics.TEMPERATURES,
            "calibration": {n: asdict(d) for n, d in diagrams.items()},
            "table": [asdict(row) for row in rows],
        }
        results.write_results(path, content, lines if args.csv else None)
    print("set     expected calibration error at temperature (the result's own: 1)")
    for name, found in diagrams.items():
        errors = zip(metrics.TEMPERATURES, found.errors, strict=True)
        print(f"{name:7} " + ", ".join(f"{t:.3g}: {error:.4f}" for t, error in errors))
    print(metrics.table(rows))
    results.report_written(path, args)
    if args.chart:
        from benchmarks.harness import charts

        curves = {name: found.points for name, found in diagrams.items()}
        charts.lines(args.chart, curves, across="confidence", up="share right", diagonal=True)


if __name__ == "__main__":
    sys.exit(main())
