"""How long a first mask takes from nothing: `saccade segment` on one small image, and its imports.

    python -m benchmarks.starts --rounds 10 --against OTHER

Every round starts each command once, in alternating order, in a process of its own: the command in
this checkout, in the other one where --against names its root, and Python with the libraries that
a mask cannot do without. Wall time and processor time (user and system) of a process; other
programs on the machine change the second less. Exit code 1 if the two checkouts' masks differ.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.harness import command_line

THIS_TREE = Path(__file__).resolve().parents[2]
_SIZE = 150, 100  # of the image, width and height
IMPORTS = {
    "python alone": "",
    "import torch": "import torch",
    "import numpy, PIL, scipy.ndimage, skimage's slic": "import numpy, PIL.Image, scipy.ndimage; "
    "from skimage.segmentation import slic",
    "import onnxruntime": "import onnxruntime",
}
Times = tuple[float, float]  # wall and processor time, in seconds


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("starts", __doc__)
    add = parser.add_argument
    add("--rounds", type=command_line.positive, default=10, help="default 10")
    add("--against", type=Path, metavar="OTHER", help="root of another checkout")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Start everything in turns, compare, write the file."""
    from benchmarks.harness import results
    from saccade.errors import InputError

    settings = results.machine(args.threads) | {"rounds": args.rounds}
    path = results.result_path(args, settings)
    trees = {"saccade segment": THIS_TREE}
    if args.against is not None:
        if not (args.against / "src" / "saccade").is_dir():
            raise InputError(f"{args.against}: no src/saccade there, must be a checkout's root")
        trees["saccade segment, other checkout"] = args.against.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_example(folder)
        taken = in_turns(folder, trees, args.rounds)
        masks = {(folder / str(n) / "image.png").read_bytes() for n in range(len(trees))}
    table = as_rows(taken)
    results.write_results(path, {"run": settings, "table": table}, None)
    print(as_text(table))
    results.report_written(path, args)
    if len(masks) > 1:
        raise InputError("the masks of the two checkouts differ")


def write_example(folder: Path) -> None:
    """A photograph of a hundred rows and strokes of two classes on it."""
    import numpy as np
    from PIL import Image
    from skimage.data import coffee

    image = Image.fromarray(coffee()).resize(_SIZE, Image.Resampling.BOX)
    image.save(folder / "image.png")
    strokes = np.full(_SIZE[::-1], 255, np.uint8)
    strokes[5:8, 5:90] = strokes[80:, :10] = 0
    strokes[50:60, 60:90] = 1
    Image.fromarray(strokes).save(folder / "strokes.png")


def in_turns(folder: Path, trees: Mapping[str, Path], rounds: int) -> dict[str, list[Times]]:
    """Times of each command, one a round; a round before them fills the caches of files."""
    order = ["-m", "saccade.cli", "segment", "image.png", "strokes.png", "--device", "cpu"]
    order += ["--unlabeled", "255", "--overwrite", "--quiet", "-o"]
    commands = {
        name: ([*order, str(number)], {"PYTHONPATH": str(tree / "src")})
        for number, (name, tree) in enumerate(trees.items())
    }
    commands |= {name: (["-c", code], {}) for name, code in IMPORTS.items()}
    taken: dict[str, list[Times]] = {name: [] for name in commands}
    for turn in range(-1, rounds):
        for name in list(commands)[:: 1 if turn % 2 else -1]:
            arguments, variables = commands[name]
            times = timed([sys.executable, *arguments], folder, os.environ | variables)
            if turn >= 0:
                taken[name].append(times)
    return taken


def timed(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Times:
    """Wall and processor time of a process; CalledProcessError if it fails."""
    before, start = _processor_time(), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start, _processor_time() - before


def _processor_time() -> float:
    """Of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def as_rows(taken: Mapping[str, Sequence[Times]]) -> list[dict[str, float | str]]:
    """Medians, least times, and by how much each command differs from the first in its round.

    >>> rows = as_rows({"a": [(2.0, 1.0), (3.0, 1.5)], "b": [(4.0, 3.0), (6.0, 3.0)]})
    >>> rows[1]["wall_ratio"], rows[1]["processor_least"]
    (2.0, 3.0)
    """
    rows: list[dict[str, float | str]] = []
    first = next(iter(taken.values()))
    for name, times in taken.items():
        row: dict[str, float | str] = {"name": name}
        for clock, index in (("wall", 0), ("processor", 1)):
            values = [one[index] for one in times]
            pairs = zip(values, (one[index] for one in first), strict=True)
            row[clock] = median(values)
            row[f"{clock}_least"] = min(values)
            row[f"{clock}_ratio"] = median(a / b for a, b in pairs)
        rows.append(row)
    return rows


def as_text(table: Sequence[Mapping[str, float | str]]) -> str:
    """The aligned table: medians in seconds, and the ratio to the first line."""
    width = max(len(str(row["name"])) for row in table)
    lines = [f"{'':{width}}  {'wall':>6}  {'ratio':>6}  {'processor':>9}  {'ratio':>6}"]
    lines += [
        f"{row['name']:{width}}  {row['wall']:6.2f}  {row['wall_ratio']:6.3f}  "
        f"{row['processor']:9.2f}  {row['processor_ratio']:6.3f}"
        for row in table
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
