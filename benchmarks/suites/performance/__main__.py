"""What a segmentation costs beside GrabCut: time, update, memory, start-up, with their bounds.

    python -m benchmarks.performance ROOT --limit 5 --skip memory,batch
    python -m benchmarks.performance ROOT --against ../other --every 4

Parts: time (GrabCut, the presets and an update in turns on the thin strokes, one process), memory
(peak of one fit, in processes of their own), start (answers that need no network), batch (one
folder against single calls). ROOT is laid out as in benchmarks/datasets.py. Written under --out:
a CSV with every timed call and a JSON with the machine, the medians, their stages and the checks.
Exit code 1 if something could not be measured; a bound that is not kept only says FAIL.
With --against only the presets and the update are timed, here and in the other checkout in turns;
the ratios are printed, nothing is written.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# NumPy and everything above it are imported in `main`, after the thread limit is in the
# environment: OpenMP and BLAS read it once, when they are loaded.
HERE = Path(__file__).resolve().parent
PRESETS = ("fast", "best", "paper")
PARTS = ("time", "memory", "start", "batch")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    summary, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="performance.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", type=Path, help="folder with iseg/")
    add("--limit", type=_positive, help="at most this many images")
    add("--every", type=_positive, default=1, help="only every n-th image")
    add("--presets", type=_names, default=PRESETS, help="comma-separated, to time")
    add("--skip", type=_parts, default=(), help="comma-separated parts to leave out")
    add("--threads", type=_positive, default=1, help="threads of every library, default 1")
    add("--against", type=Path, metavar="TREE", help="another checkout to compare this one with")
    add("--rounds", type=_positive, default=3, help="with --against, pairs of calls on an image")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
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
    except subprocess.CalledProcessError as error:
        said = error.stderr if isinstance(error.stderr, str) else error.stderr.decode()
        print(f"error: {error.cmd[0]} ended with {error.returncode}: {said}", file=sys.stderr)
        return 1
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run(args: argparse.Namespace) -> None:
    from benchmarks import checks, processes, report, turns
    from benchmarks.datasets import load_pairs
    from benchmarks.methods import limit_threads, resolve

    pairs = load_pairs(args.root, turns.SET, limit=args.limit, every=args.every)
    if args.against is not None:
        from benchmarks import two_trees

        methods = [*args.presets, "update"]
        options = {"rounds": args.rounds, "threads": args.threads}
        print(two_trees.table(two_trees.compare(pairs, methods, args.against, **options)))
        return
    parts = [part for part in PARTS if part not in args.skip]
    calls: list[turns.Call] = []
    found: list[checks.Check] = []
    if "time" in parts:
        limit_threads(args.threads, [resolve("saccade:fast")])
        calls = turns.time_in_turns(pairs, args.presets)
        found += turns.checks(calls)
    if "memory" in parts:
        found += processes.memory(pairs[0], args.threads)
    if "start" in parts:
        found += processes.start_up()
    if "batch" in parts:
        found += processes.batch(pairs)
    machine = report.machine(args.threads)
    content = {
        "run": machine | {"limit": args.limit, "every": args.every, "parts": parts},
        "checks": checks.as_rows(found),
        "methods": turns.summary(calls),
        "stages": turns.stage_medians(calls),
    }
    target = args.out / report.file_stem(machine, "performance")
    report.write_json(target, content)
    report.write_csv(target, *turns.csv_rows(calls))
    print(checks.table(found))
    print(f"written: {target}.csv, .json")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _parts(text: str) -> tuple[str, ...]:
    names = _names(text)
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"no part {name!r}; parts are {', '.join(PARTS)}")
    return names


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
