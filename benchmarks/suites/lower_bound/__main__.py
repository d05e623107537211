"""A lower bound of what a segmentation must compute and move, stage by stage, beside what it takes.

    python -m benchmarks.lower_bound ROOT --sets thin,camvid

For preset ``fast`` at the sizes of the GDC paper's data, 375x500 with two classes and 360x480 with
eleven: operations (a multiply-add is two) and bytes of every stage by arithmetic, the time that
they take at this machine's best (largest matrix product and copy of one thread, measured here),
what the program does as it is written (operations of its matrix products and convolutions, bytes
that its PyTorch calls read and write, how many calls), and seconds measured. For a GPU the time is
predicted from published peaks and a price per call, not measured. Written: JSON.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.harness import command_line
from benchmarks.harness.command_line import names_of

SIZES = {"thin": (375, 500), "camvid": (360, 480)}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("lower_bound", __doc__)
    command_line.add_root(parser, "iseg/ and camvid/")
    command_line.add_selection(parser, limit=5)
    sets = tuple(SIZES)
    parser.add_argument("--sets", type=names_of(sets), default=sets, help="comma-separated")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure the machine's peaks and every set's stages, print the tables, write the file."""
    from dataclasses import asdict

    from benchmarks.harness import results
    from benchmarks.harness.datasets import load_pairs, num_classes, resized
    from benchmarks.harness.timing import limit_threads
    from benchmarks.suites.lower_bound import op_counts, traced

    limit_threads(args.threads)
    settings = results.machine(args.threads)
    peaks = op_counts.cpu_peaks()
    content = {"run": settings, "cpu": asdict(peaks), "gpu": asdict(op_counts.H200)}
    print(f"this machine: {peaks.operations / 1e9:.0f} Gop/s, {peaks.bytes / 1e9:.1f} GB/s")
    for name in args.sets:
        height, width = SIZES[name]
        pairs = [
            resized(p, (height, width) if p.truth.shape[0] < p.truth.shape[1] else (width, height))
            for p in load_pairs(args.root, name, limit=args.limit, every=args.every)
        ]
        bounds = op_counts.stages((height, width), classes=num_classes(name))
        rows = op_counts.rows(bounds, traced.trace(pairs))
        content[name] = [asdict(row) for row in rows]
        print(f"\n{name}: {height}x{width}\n{op_counts.table(rows, peaks)}")
    path = results.result_path(args, settings)
    results.write_results(path, content)
    results.report_written(path, args)


if __name__ == "__main__":
    sys.exit(main())
