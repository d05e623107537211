"""The command line that all suites share: an option means the same in each of them.

NumPy and everything above it are imported by the suites' `run`, after the thread limit is in the
environment: OpenMP and BLAS read it once, when they are loaded.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "results"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def suite_parser(name: str, text: str | None) -> argparse.ArgumentParser:
    """A parser with the options of every suite: --threads, --out, --name, --csv.

    Args:
        name: of the suite, and of its result file where --name gives no other.
        text: the suite's docstring: a summary, an empty line, the details.
    """
    summary, details = str(text).split("\n\n", 1)
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--threads", type=positive, default=1, help="threads of every library, default 1")
    add("--out", type=Path, default=RESULTS, help="results go to OUT/MACHINE, default %(default)s")
    add("--name", default=name, help="of the result file, default %(default)s")
    add("--csv", action="store_true", help="also write every single measurement, as CSV")
    return parser


def add_root(parser: argparse.ArgumentParser, folders: str, nargs: str | None = None) -> None:
    """Add ROOT, the folder of the data sets, of which the suite reads the named folders."""
    parser.add_argument("root", type=Path, nargs=nargs, help=f"folder with {folders}")


def add_selection(
    parser: argparse.ArgumentParser, *, limit: int | None = None, every: int = 1
) -> None:
    """Add --limit and --every, which choose images of each set."""
    add = parser.add_argument
    add("--limit", type=positive, default=limit, help="at most this many images of each set")
    add("--every", type=positive, default=every, help="only every n-th image, default %(default)s")


def run_suite(
    parser: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace], int | None],
    argv: Sequence[str] | None,
) -> int:
    """Parse, limit the threads, run; an error is one line on stderr and exit code 1."""
    args = parser.parse_args(argv)
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(args.threads)
    from saccade.errors import InputError

    try:
        return run(args) or 0
    except subprocess.CalledProcessError as error:
        output = error.stderr if isinstance(error.stderr, str) else error.stderr.decode()
        print(f"error: {error.cmd[0]} ended with {error.returncode}: {output}", file=sys.stderr)
    except (InputError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 1


def positive(text: str) -> int:
    """A whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not a positive number")
    return value


def names(text: str) -> tuple[str, ...]:
    """Comma-separated names, each once and at least one."""
    found = tuple(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
    if not found:
        raise argparse.ArgumentTypeError("at least one name is needed")
    return found


def names_of(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """A parser of comma-separated names that knows which there are."""

    def parse(text: str) -> tuple[str, ...]:
        found = names(text)
        if not set(found) <= set(known):
            raise argparse.ArgumentTypeError(f"{text!r}: choose from {', '.join(known)}")
        return found

    return parse


def whole_numbers(text: str) -> tuple[int, ...]:
    """Comma-separated whole numbers."""
    return tuple(int(part) for part in names(text))


def numbers(text: str) -> tuple[float, ...]:
    """Comma-separated numbers, or "none" for not a single one."""
    return () if text == "none" else tuple(float(part) for part in names(text))
