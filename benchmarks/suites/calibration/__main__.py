"""Are the probabilities calibrated, and which measure of doubt finds the errors best?

    python benchmarks/calibration.py ROOT --sets thin,full,camvid

Preset fast, from the strokes of each set; pixels with a stroke or without a ground truth stay out.
Measures: uncertainty (what a result carries), entropy and margin (ilastik's) of the final
probabilities, both (mean of uncertainty and margin), spread (standard deviation over draws of the
sampling positions) and network (entropy of the fitted network alone). AUROC: how often a wrong
pixel is doubted more than a right one. AUSE: area between the sparsification curve and the best
possible one, 0 is best. ROOT is laid out as in benchmarks/datasets.py. Written under --out: a CSV
per image, a JSON with the machine, the tables and the reliability diagram; with --chart that
diagram as PNG. Exit code 1 if the data cannot be read.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# NumPy and everything above it are imported in `main`, after the thread limit is in the
# environment: OpenMP and BLAS read it once, when they are loaded.
HERE = Path(__file__).resolve().parent
SETS = ("thin", "full", "dense", "camvid")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    summary, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="calibration.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", type=Path, help="folder with iseg/ and camvid/")
    add("--sets", type=_sets, default=("thin", "full", "camvid"), help="comma-separated")
    add("--limit", type=_positive, help="at most this many images of each set")
    add("--every", type=_positive, default=1, help="only every n-th image of each set")
    add("--seed", type=int, default=0, help="of the fits, default 0")
    add("--threads", type=_positive, default=1, help="threads of every library, default 1")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
    add("--chart", type=Path, help="PNG of the reliability diagram")
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

    from benchmarks import doubt, report
    from benchmarks.datasets import load_pairs

    sets = {
        name: load_pairs(args.root, name, limit=args.limit, every=args.every) for name in args.sets
    }
    machine = report.machine(args.threads)
    options = {key: getattr(args, key) for key in ("seed", "limit", "every")}
    target = args.out / report.file_stem(machine, "calibration")
    rows: list[doubt.Row] = []
    diagrams: dict[str, doubt.Diagram] = {}
    lines: list[dict[str, object]] = []
    for name, pairs in sets.items():
        judged = []
        for index, pair in enumerate(pairs):
            judged.append(doubt.judge(pair, args.seed))
            lines += doubt.as_lines(name, judged[-1])
            said = f"[{name} {index + 1}/{len(pairs)}] {pair.stem}: {judged[-1].wrong:.1%} wrong"
            print(said, file=sys.stderr, flush=True)
        rows += doubt.summarize(name, judged)
        diagrams[name] = doubt.diagram(judged)
        report.write_csv(target, list(lines[0]), lines)  # after every set: nothing is lost
        content = {
            "run": machine | options,
            "temperatures": doubt.TEMPERATURES,
            "calibration": {n: asdict(d) for n, d in diagrams.items()},
            "table": [asdict(row) for row in rows],
        }
        report.write_json(target, doubt.without_nan(content))
    print("set     expected calibration error at temperature (the result's own: 1)")
    for name, found in diagrams.items():
        errors = zip(doubt.TEMPERATURES, found.errors, strict=True)
        print(f"{name:7} " + ", ".join(f"{t:.3g}: {error:.4f}" for t, error in errors))
    print(doubt.table(rows))
    print(f"written: {target}.csv, .json")
    if args.chart:
        from benchmarks import charts

        curves = {name: found.points for name, found in diagrams.items()}
        charts.lines(args.chart, curves, across="confidence", up="share right", diagonal=True)


def _sets(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
    unknown = [n for n in names if n not in SETS]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"{text!r}: choose from {', '.join(SETS)}")
    return names


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
