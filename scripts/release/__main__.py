"""Build the wheel and the source archive and try them in an empty environment.

    python -m scripts.release                                    # with the newest releases of all
    python -m scripts.release --constraints constraints-oldest.txt --python python3.12

The environment knows neither the repository nor a compiler. In it run: ``saccade --version``, the
README's Python example, ``saccade segment`` on the demo's photograph, and the tests named, taken
out of the source archive. What is installed there is written beside the wheel, in CycloneDX's form
(.cdx.json). Exit code 1 where one of them fails.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from scripts.release.building import build, check_archive, check_wheel
from scripts.release.trying import (
    Trial,
    install,
    list_packages,
    try_command,
    try_examples,
    try_tests,
)

ROOT = Path(__file__).parents[2]
TESTS = (
    "tests/images",
    "tests/interactive",
    "tests/nn",
    "tests/objects",
    "tests/ops",
    "tests/scribbles",
    "tests/test_package.py",
)


def main() -> int:
    """Do all steps, one line each; what fails ends it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_AsWritten)
    parser.add_argument("--constraints", type=Path, help="versions to install, as for pip -c")
    parser.add_argument("--python", default=sys.executable, help="default: the one that runs this")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="default: dist")
    parser.add_argument("--tests", nargs="*", default=list(TESTS), metavar="PATH")
    options = parser.parse_args()
    if shutil.which(options.python) is None:
        sys.exit(
            f"error: {options.python} is no program here; --python takes a Python to try it with"
        )
    wheel, archive = build(ROOT, options.out)
    check_wheel(wheel)
    check_archive(archive)
    print(f"built: {wheel.name}, {wheel.stat().st_size / 1e6:.1f} MB; {archive.name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), options.python)
        print("installed:", install(trial, wheel, options.constraints), flush=True)
        print(list_packages(trial, wheel), flush=True)
        for step in (try_command, try_examples):
            print(step(trial, archive), flush=True)
        if options.tests:
            print(try_tests(trial, archive, options.tests), flush=True)
    return 0


class _AsWritten(argparse.RawDescriptionHelpFormatter):
    """Examples keep their lines."""


if __name__ == "__main__":
    sys.exit(main())
