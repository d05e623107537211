"""How many strokes a mask takes when the strokes go where `suggest` says, and elsewhere.

    python benchmarks/annotation.py ROOT --sets thin,single --policies suggest,random,oracle

A simulated annotator draws one stroke a round where the policy says; see benchmarks/annotator.py.
Policies: suggest, random, entropy (the pixel of largest entropy of the probabilities; with two
classes it is ilastik's margin as well), uncertainty (the pixel of largest uncertainty), spread (the
pixel of largest spread over draws), oracle (the largest error, which only the truth knows: an upper
bound). Sets: thin (starts from the thin strokes), single (from the longest of them for each class).
ROOT is laid out as in benchmarks/datasets.py. Written under --out: a CSV with every round and a
JSON with the machine and the table; with --chart a PNG of the curves. Exit code 1 if the data
cannot be read.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.strokes_needed import Runs

# NumPy and everything above it are imported in `main`, after the thread limit is in the
# environment: OpenMP and BLAS read it once, when they are loaded.
HERE = Path(__file__).resolve().parent
SETS = ("thin", "single")
POLICIES = ("suggest", "random", "entropy", "uncertainty", "spread", "oracle")
THRESHOLDS = (0.90, 0.95)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    summary, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="annotation.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", type=Path, help="folder with iseg/")
    add("--sets", type=_choice(SETS), default=("thin",), help="comma-separated, default thin")
    add("--policies", type=_choice(POLICIES), default=POLICIES, help="comma-separated, default all")
    add("--limit", type=_positive, help="at most this many images")
    add("--every", type=_positive, default=1, help="only every n-th image")
    add("--rounds", type=_positive, default=12, help="strokes at most, default 12")
    add("--seeds", type=_positive, default=1, help="annotators for each image, default 1")
    add("--threads", type=_positive, default=1, help="threads of every library, default 1")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
    add("--chart", type=Path, help="PNG of the mean score over strokes, first set")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    args = build_parser().parse_args(argv)
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
    from dataclasses import asdict

    from benchmarks import report, strokes_needed
    from benchmarks.annotator import annotate_all, one_stroke_a_class
    from benchmarks.datasets import load_pairs

    keys = ("sets", "policies", "rounds", "seeds", "limit", "every")
    options = {key: getattr(args, key) for key in keys}
    machine = report.machine(args.threads)
    target = args.out / report.file_stem(machine, "annotation")
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
        report.write_csv(target, list(lines[0]), lines)  # after every set: nothing is lost
        content = {"run": machine | options, "table": strokes_needed.as_rows(rows)}
        report.write_json(target, content)
        if args.chart and name == args.sets[0]:
            _draw_chart(args, runs)
    print(strokes_needed.table(rows))
    print(f"written: {target}.csv, .json")


def _draw_chart(args: argparse.Namespace, runs: "dict[str, Runs]") -> None:
    from benchmarks import charts
    from benchmarks.strokes_needed import mean_curve

    curves = {
        policy: list(enumerate(mean_curve(images, "mean_iou", args.rounds).tolist()))
        for policy, images in runs.items()
    }
    charts.lines(args.chart, curves, across="strokes added", up="mean IoU")


def _choice(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """A parser of comma-separated names."""

    def parse(text: str) -> tuple[str, ...]:
        names = tuple(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
        unknown = [n for n in names if n not in known]
        if unknown or not names:
            raise argparse.ArgumentTypeError(f"{text!r}: choose from {', '.join(known)}")
        return names

    return parse


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
