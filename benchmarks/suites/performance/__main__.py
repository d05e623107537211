"""What a segmentation costs beside GrabCut: time, update, memory, start-up, with their bounds.

    python -m benchmarks.performance ROOT --limit 5 --skip memory,batch
    python -m benchmarks.performance ROOT --against ../other --every 4

Parts: time (GrabCut, the presets and an update in turns on the thin strokes, one process), memory
(peak of one fit, in processes of their own), classes (all classes of
camvid's images against two of them), start (answers that need no network), batch (one
folder against single calls). Written: JSON with the machine, the medians,
their stages and the checks; with --csv every timed call.
Exit code 1 if something could not be measured; a bound that is not kept only says FAIL.
With --against only the presets and the update are timed, here and in the other checkout in turns;
the ratios are printed, nothing is written.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names, names_of, positive

PRESETS = ("fast", "best", "paper")
PARTS = ("time", "classes", "memory", "start", "batch")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("performance", __doc__)
    command_line.add_root(parser, "iseg/")
    command_line.add_selection(parser)
    add = parser.add_argument
    add("--presets", type=names, default=PRESETS, help="comma-separated, to time")
    add("--skip", type=names_of(PARTS), default=(), help="comma-separated parts to leave out")
    add("--against", type=Path, metavar="TREE", help="another checkout to compare this one with")
    add("--rounds", type=positive, default=3, help="with --against, pairs of calls on an image")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure the parts, print their checks, write the files."""
    from benchmarks.harness import checks, results
    from benchmarks.harness.datasets import load_pairs
    from benchmarks.harness.timing import limit_threads
    from benchmarks.suites.performance import classes, interleaved, processes

    pairs = load_pairs(args.root, interleaved.SET, limit=args.limit, every=args.every)
    if args.against is not None:
        from benchmarks.suites.performance import two_trees

        methods = [*args.presets, "update"]
        options = {"rounds": args.rounds, "threads": args.threads}
        print(two_trees.table(two_trees.compare(pairs, methods, args.against, **options)))
        return
    parts = [part for part in PARTS if part not in args.skip]
    calls: list[interleaved.Call] = []
    found: list[checks.Check] = []
    if "time" in parts:
        limit_threads(args.threads)
        calls = interleaved.time_in_turns(pairs, args.presets)
        found += interleaved.checks(calls)
    if "classes" in parts:
        limit_threads(args.threads)
        several = load_pairs(args.root, classes.SET, limit=args.limit, every=args.every)
        found += classes.checks(classes.time_ratios(several))
    if "memory" in parts:
        found += processes.memory(pairs[0], args.threads)
    if "start" in parts:
        found += processes.start_up()
    if "batch" in parts:
        found += processes.batch(pairs)
    settings = results.machine(args.threads)
    settings |= {"limit": args.limit, "every": args.every, "parts": parts}
    content = {
        "run": settings,
        "checks": checks.as_rows(found),
        "methods": interleaved.summary(calls),
        "stages": interleaved.stage_medians(calls),
    }
    path = results.result_path(args, settings)
    results.write_results(path, content, interleaved.csv_rows(calls) if args.csv else None)
    print(checks.table(found))
    results.report_written(path, args)


if __name__ == "__main__":
    sys.exit(main())
