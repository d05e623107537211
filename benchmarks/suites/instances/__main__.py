"""Strokes on an image of nuclei to its objects: F1 at IoU .5 and count error, beside two rivals.

Reads ROOT/fields/nuclei-*: images, scribbles and instances; each image that has strokes is
segmented from its own. The rivals are Otsu's threshold, on the side that the strokes say, and a
random forest on filter features (the ilastik way). Each mask is parted by two watersheds: "common"
is the textbook's (tops of the distance at least 7 pixels apart), "ours" is that of
`saccade.objects`; a rival's best is what has to be beaten. Objects below --min-area are left out
of every method alike; "connected" parts nothing. "mask" is the mean IoU of the mask. "truth" is
the true mask, which says what the watershed alone can do.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks.harness import command_line
from benchmarks.peers.ours import check_variants

KINDS = ("nuclei-fluo", "nuclei-plate", "nuclei-tissue")
METHODS = ("saccade:fast", "otsu", "random-forest", "truth")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("instances", __doc__)
    command_line.add_root(parser, "fields/nuclei-*")
    command_line.add_selection(parser)
    add = parser.add_argument
    add("--methods", type=command_line.names, default=METHODS, help="default %(default)s")
    add("--min-area", type=command_line.positive, default=20, help="pixels, default %(default)s")
    add("--seed", type=int, default=0, help="of the draws, default %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> int:
    """Measure every kind, print and write a table; 1 where Saccade does not lead everywhere."""
    from benchmarks.harness import results
    from benchmarks.harness.folds import read_folds
    from benchmarks.suites.instances.measure import (
        PARTINGS,
        leads,
        load_nuclei,
        mask_of,
        measure,
        summarize,
    )

    for method in args.methods:
        if method.startswith("saccade:"):
            check_variants(method.removeprefix("saccade:"))
    folds = read_folds()
    settings = results.machine(args.threads)
    path = results.result_path(args, settings)
    lines: list[dict[str, object]] = []
    kinds: dict[str, object] = {}
    for kind in KINDS:
        samples = load_nuclei(args.root / "fields" / kind, args.every, args.limit)
        for sample in samples:
            for method in args.methods:
                start = time.perf_counter()
                mask, probability = mask_of(method, sample, args.seed, folds)
                seconds = time.perf_counter() - start
                for parting in PARTINGS:
                    found = measure(sample, mask, probability, parting, args.min_area)
                    line = {"kind": kind, "image": sample.stem, "method": method}
                    lines.append(line | {"parting": parting, "seconds": seconds} | found)
        kinds[kind] = summarize([line for line in lines if line["kind"] == kind])
        _print(kind, kinds[kind])
        written = {"run": settings, "min_area": args.min_area, "seed": args.seed, "kinds": kinds}
        results.write_results(path, written, lines if args.csv else None)
    results.report_written(path, args)
    return 0 if all(leads(kinds[kind]) for kind in KINDS) else 1


def _print(kind: str, rows: object) -> None:
    assert isinstance(rows, list)
    print(f"{kind:<26} {'parting':<10} images   mask     F1  count error")
    for row in rows:
        print(
            f"  {row['method']:<24} {row['parting']:<10} {row['images']:>6} {row['mask']:>6.3f} "
            f"{row['f1']:>6.3f} {row['count_error']:>12.3f}"
        )


if __name__ == "__main__":
    sys.exit(main())
