"""The least that one segmentation must compute and move, stage by stage, beside what it takes.

    python benchmarks/floor.py ROOT --sets thin,camvid

For preset ``fast`` at the sizes of the GDC paper's data, 375x500 with two classes and 360x480 with
eleven: operations (a multiply-add is two) and bytes of every stage by arithmetic, the time that
they take at this machine's best (largest matrix product and copy of one thread, measured here),
what the program does as it is written (operations of its matrix products and convolutions, bytes
that its PyTorch calls read and write, how many calls), and seconds measured. For a GPU the time is
predicted from published peaks and a price per call, not measured. Writes JSON under --out.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# NumPy and everything above it are imported in `main`, after the thread limit is in the
# environment: OpenMP and BLAS read it once, when they are loaded.
HERE = Path(__file__).resolve().parent
SIZES = {"thin": (375, 500), "camvid": (360, 480)}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    summary, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="floor.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", type=Path, help="folder with iseg/ and camvid/")
    add("--sets", type=lambda text: tuple(text.split(",")), default=tuple(SIZES))
    add("--images", type=int, default=5, help="images that the median time is taken over")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    args = build_parser().parse_args(argv)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
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

    from benchmarks import least, report, traced
    from benchmarks.datasets import load_pairs, resized
    from benchmarks.methods import limit_threads, resolve
    from saccade.errors import InputError

    limit_threads(1, [resolve("saccade:fast")])
    peaks = least.cpu_peaks()
    content = {"run": report.machine(1), "cpu": asdict(peaks), "gpu": asdict(least.H200)}
    print(f"this machine, one thread: {peaks.operations / 1e9:.0f} Gop/s, ", end="")
    print(f"{peaks.bytes / 1e9:.1f} GB/s")
    for name in args.sets:
        if name not in SIZES:
            raise InputError(f"set {name!r} has no size here; choose from {', '.join(SIZES)}")
        height, width = SIZES[name]
        pairs = [
            resized(p, (height, width) if p.truth.shape[0] < p.truth.shape[1] else (width, height))
            for p in load_pairs(args.root, name, limit=args.images)
        ]
        found = traced.trace(pairs)
        rows = least.rows(least.stages((height, width), classes=2 if name == "thin" else 11), found)
        content[name] = [asdict(row) for row in rows]
        print(f"\n{name}: {height}x{width}\n{least.table(rows, peaks)}")
    target = args.out / report.file_stem(report.machine(1), "floor")
    report.write_json(target, content)
    print(f"written: {target}.json")


if __name__ == "__main__":
    sys.exit(main())
