"""An image of hundreds of megapixels from strokes: time, memory, killed and resumed.

    python -m benchmarks.slides ROOT

A slide is made of the images of ROOT/fields/NAME side by side, drawn at random, as a tiled
OME-TIFF; strokes are on the first few copies of each image that has some. `saccade segment` runs in
a process of its own: once as it is, and once killed when some windows are there, then run
again. The masks have to be the same. "mean_iou" is of both classes over the whole slide.
"""

import argparse
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import command_line

_TILE = 512
_COPIES = 4  # of an image with strokes, that have them


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("slides", __doc__)
    command_line.add_root(parser, "fields/NAME")
    add = parser.add_argument
    add("--field", default="nuclei-tissue", help="default %(default)s")
    add("--side", type=command_line.positive, default=20_000, help="pixels, default %(default)s")
    add("--parts", type=command_line.names, default=("whole", "killed"), help="default both")
    add("--kill-at", type=command_line.positive, default=60, help="windows, default %(default)s")
    add("--preset", default="fast", help="default %(default)s")
    add("--seed", type=int, default=0, help="default %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Make the slide, segment it in each of the ways, print and write the results."""
    from benchmarks.harness import results

    settings = results.machine(args.threads) | {
        key: getattr(args, key) for key in ("field", "side", "preset", "seed")
    }
    path = results.result_path(args, settings)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = make_slide(folder, args.root / "fields" / args.field, args.side, args.seed)
        for way in args.parts:
            row = {"way": way} | segmented(folder, way, args)
            row["mean_iou"] = score(folder / way / "slide.ome.png", truth)
            print(*(f"{key} {_text(value)}" for key, value in row.items()), flush=True)
            rows.append(row)
            results.write_results(path, {"run": settings, "slides": rows})
    if len({row["mask"] for row in rows}) > 1:
        print("the masks differ")
    results.report_written(path, args)


def make_slide(folder: Path, field: Path, side: int, seed: int) -> NDArray[np.uint8]:
    """Write slide.ome.tif and strokes.png to a folder; returns the truth."""
    import tifffile
    from PIL import Image

    stems = sorted(path.stem for path in (field / "images").glob("*.png"))

    def read(kind: str, stem: str, mode: str) -> NDArray[np.uint8]:
        return np.asarray(Image.open(field / kind / f"{stem}.png").convert(mode))

    images = [read("images", stem, "RGB") for stem in stems]
    height, width = images[0].shape[:2]
    shape = -(-side // height), -(-side // width)
    order = np.random.default_rng(seed).integers(0, len(stems), shape)
    said = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    tifffile.imwrite(
        folder / "slide.ome.tif",
        _tiles(images, order, side),
        shape=(side, side, 3),
        dtype=np.uint8,
        tile=(_TILE, _TILE),
        photometric="rgb",
        compression="zlib",
        bigtiff=True,
        ome=True,
        metadata=said,
    )
    strokes = np.full((side, side), 255, np.uint8)
    for number, stem in enumerate(stems):
        if (field / "scribbles" / f"{stem}.png").exists():
            own = read("scribbles", stem, "L")
            for row, column in np.argwhere(order == number)[:_COPIES]:
                part = strokes[row * height :, column * width :][:height, :width]
                part[:] = own[: part.shape[0], : part.shape[1]]
    Image.fromarray(strokes).save(folder / "strokes.png")
    masks = [read("masks", stem, "L") for stem in stems]
    rows = [np.concatenate([masks[i] for i in row], 1) for row in order]
    return np.concatenate(rows)[:side, :side]


def _tiles(
    images: list[NDArray[np.uint8]], order: NDArray[np.int64], side: int
) -> Iterator[NDArray[np.uint8]]:
    height = len(images[0])
    for top in range(0, side, _TILE):
        first, last = top // height, min(len(order), -(-(top + _TILE) // height))
        rows = [np.concatenate([images[i] for i in row], 1) for row in order[first:last]]
        band = np.concatenate(rows)[top - first * height :][:_TILE, :side]
        for left in range(0, side, _TILE):
            tile = np.zeros((_TILE, _TILE, 3), np.uint8)
            part = band[:, left : left + _TILE]
            tile[: part.shape[0], : part.shape[1]] = part
            yield tile


def segmented(folder: Path, way: str, args: argparse.Namespace) -> dict[str, Any]:
    """Segment the slide in processes of their own; "killed" kills the first."""
    out = folder / way
    command = [sys.executable, "-m", "saccade.cli", "segment", folder / "slide.ome.tif"]
    command += [folder / "strokes.png", "-o", out, "--preset", args.preset]
    command += ["--seed", str(args.seed)]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    kept = 0
    if way == "killed":
        kept = _killed(command, out / "parts" / "slide.ome.tif", args.kill_at)
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    mask = (out / "slide.ome.png").read_bytes()
    shutil.rmtree(out / "parts", ignore_errors=True)
    return {
        "megapixels": args.side**2 / 1e6,
        "seconds": time.perf_counter() - began,
        "processor": processor,
        "s_a_megapixel": processor / (args.side**2 / 1e6),
        "peak_mb": after.ru_maxrss / 1024,
        "windows_kept": kept,
        "mask": hashlib.sha256(mask).hexdigest(),
        "remarks": [line for line in done.stderr.splitlines() if "windows" in line],
    }


def _killed(command: Sequence[object], parts: Path, count: int) -> int:
    """Run until so many windows are there, kill, and return how many there are."""
    with subprocess.Popen([str(one) for one in command], stderr=subprocess.DEVNULL) as running:
        while running.poll() is None and len(list(parts.glob("window-*.npz"))) < count:
            time.sleep(0.5)
        os.kill(running.pid, signal.SIGKILL)
    return len(list(parts.glob("window-*.npz")))


def score(mask: Path, truth: NDArray[np.uint8]) -> float:
    """Mean IoU of both classes."""
    from saccade.images.header import open_unlimited

    with open(mask, "rb") as file:
        found = np.asarray(open_unlimited(file))
    ious = [
        np.count_nonzero((found == c) & (truth == c))
        / np.count_nonzero((found == c) | (truth == c))
        for c in (0, 1)
    ]
    return float(np.mean(ious))


def _text(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
