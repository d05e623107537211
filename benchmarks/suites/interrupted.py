"""A folder of images by a model, killed again and again and gone on with: the same files?

    python -m benchmarks.interrupted ROOT --images 1000 --kills 4

The images are parts of `fields/nuclei-fluo`; `saccade fit` gets three of its images with strokes.
`saccade segment --model` runs once undisturbed, and once in a folder of its own where it is killed
(SIGKILL) after each further share of the masks. Masks, label images of objects and the table are
compared by SHA-256. Exit code 1 if they differ.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import command_line

_KIND = "nuclei-fluo"
_SIDE = 128


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("interrupted", __doc__)
    command_line.add_root(parser, "fields/")
    add = parser.add_argument
    add("--images", type=command_line.positive, default=1000, help="default 1000")
    add("--kills", type=command_line.positive, default=4, help="default 4")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Make the folder, segment it twice, compare, write the file."""
    from benchmarks.harness import results
    from saccade.errors import InputError

    settings = results.machine(args.threads) | {"images": args.images, "kills": args.kills}
    path = results.result_path(args, settings)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = fit(args.root, folder)
        make_images(args.root, folder / "images", args.images)
        whole, apart = folder / "whole", folder / "killed"
        began = time.perf_counter()
        subprocess.run(command(folder, model, whole), check=True, capture_output=True)
        seconds = time.perf_counter() - began
        masks_at_kills = run_killed(command(folder, model, apart), apart, args.images, args.kills)
        expected, found = hashes(whole), hashes(apart)
    masks = sum(len(Path(one).parts) == 1 and one.endswith(".png") for one in expected)
    differ = sorted({*expected.items()} ^ {*found.items()})
    row = {
        "images": args.images,
        "masks": masks,
        "files": len(expected),
        "seconds": seconds,
        "masks_at_kills": masks_at_kills,
        "differ": len({one for one, _ in differ}),
    }
    results.write_results(path, {"run": settings, "table": [row]}, None)
    print(", ".join(f"{key} {value}" for key, value in row.items()))
    results.report_written(path, args)
    if differ or masks != args.images:
        raise InputError(f"{differ[0][0] if differ else 'masks'}: not as in the undisturbed run")


def fit(root: Path, folder: Path) -> Path:
    """A model of three images, by the command line."""
    images, strokes = folder / "shown", folder / "strokes"
    images.mkdir()
    strokes.mkdir()
    kind = root / "fields" / _KIND
    for drawn in sorted((kind / "scribbles").glob("*.png"))[:3]:
        [image] = (kind / "images").glob(f"{drawn.stem}.*")
        shutil.copy(image, images)
        shutil.copy(drawn, strokes)
    model = folder / "cells.saccade"
    order = [sys.executable, "-m", "saccade.cli", "fit", str(images), str(strokes)]
    subprocess.run([*order, "-o", str(model)], check=True, capture_output=True)
    return model


def make_images(root: Path, folder: Path, count: int, side: int = _SIDE) -> None:
    """Square parts of the kind's images, no two alike."""
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(0)
    files = sorted((root / "fields" / _KIND / "images").iterdir())
    pictures = [np.asarray(Image.open(path).convert("RGB")) for path in files]
    for number in range(count):
        one = pictures[number % len(pictures)]
        top, left = (int(rng.integers(0, most - side + 1)) for most in one.shape[:2])
        part = one[top : top + side, left : left + side]
        Image.fromarray(np.rot90(part, number // len(pictures))).save(folder / f"{number:05}.png")


def command(folder: Path, model: Path, out: Path) -> list[str]:
    """Segment the folder, with objects and a table."""
    order = [sys.executable, "-m", "saccade.cli", "segment", str(folder / "images")]
    order += ["--model", str(model), "-o", str(out), "--instances"]
    return [*order, "--table", str(out.with_suffix(".csv")), "--quiet"]


def run_killed(order: Sequence[str], out: Path, images: int, kills: int) -> list[int]:
    """Run until each further share of the masks is there, kill, go on; at last to the end.

    Returns:
        The masks there at each kill.
    """
    there = []
    for kill in range(kills):
        process = subprocess.Popen(order, stdout=subprocess.DEVNULL)
        while process.poll() is None and _masks(out) < images * (kill + 1) // (kills + 1):
            time.sleep(0.02)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait()
        there.append(_masks(out))
    subprocess.run(order, check=True, capture_output=True)
    return there


def _masks(out: Path) -> int:
    return len(list(out.glob("*.png")))


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of all files of a folder by their names in it, and of the table beside it."""
    from saccade.files import digest_of

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    whole = [path for path in files if ".part" not in path.name]  # but for what a kill left
    found = {path.relative_to(folder).as_posix(): digest_of(path) for path in whole}
    return found | {"table.csv": digest_of(folder.with_suffix(".csv"))}


if __name__ == "__main__":
    sys.exit(main())
