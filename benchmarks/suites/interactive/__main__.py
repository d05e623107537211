"""Masks from strokes: Saccade and its peers on the same images, one after the other in one run.

    python benchmarks/interactive.py ROOT --sets thin,full --methods saccade:fast,grabcut --sheet

Methods: saccade:PRESET (fast, best, paper), saccade:paper+VARIANT (gdc, dilated6, normal,
deformable, uniform, random, ...), nearest, geodesic, forest, walker, grabcut, cut-histogram,
cut-gmm, convpaint (where napari-convpaint is installed). METHOD@SET runs on that set alone,
METHOD@SET/SET on those. The first one is what the others are compared with; --before adds the
scores of an earlier run, its JSON file. Images that the bundled weights were trained on are
segmented with those of --folds that have not seen them.
ROOT is laid out as in benchmarks/datasets.py. Written under --out: per-image CSV, JSON with the
machine, and with --sheet a PNG of the worst cases. Exit code 1 if the data cannot be read or a
method failed on an image.
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
METHODS = (
    "saccade:fast,saccade:best@thin/full/dense,saccade:paper@thin/full/dense,"
    "grabcut,cut-gmm,cut-histogram,geodesic,nearest"
)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    summary, details = str(__doc__).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog="interactive.py",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("root", type=Path, help="folder with iseg/ and camvid/")
    add("--sets", type=_names, default=SETS, help="comma-separated, default all: thin,full,...")
    add("--methods", type=_names, default=_names(METHODS), help="comma-separated, best first")
    add("--limit", type=_positive, help="at most this many images of each set")
    add("--every", type=_positive, default=1, help="only every n-th image of each set")
    add("--seeds", type=_integers, default=(0,), help="comma-separated, for methods that draw")
    add("--threads", type=_positive, default=1, help="threads of every library, default 1")
    add("--out", type=Path, default=HERE / "results", help="where the results are written")
    add("--before", type=Path, help="JSON of an earlier run, its scores beside the new ones")
    add("--folds", type=Path, default=HERE / "folds", help="weights of a cross-validation")
    add("--sheet", action="store_true", help="also draw the worst cases of the first method")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    args = build_parser().parse_args(argv)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(args.threads)
    for folder in (HERE.parent, HERE.parent / "src"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    from benchmarks.run import run_benchmark
    from saccade.errors import InputError

    try:
        return run_benchmark(args)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
    if not names:
        raise argparse.ArgumentTypeError("at least one name is needed")
    return names


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _names(text))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


if __name__ == "__main__":
    sys.exit(main())
