"""Strokes that were compressed, resized or softened: how often their classes come back.

    python -m benchmarks.stroke_colors ROOT

Drawings of two or three strokes, colours and greys, on a canvas; apart from each other and
crossing. Right is a file whose classes are as many as were drawn, each where its stroke lies.
Photographs of ROOT that are handed in as strokes should be refused.
"""

import argparse
import io
import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.Image import Resampling

from benchmarks.harness import command_line

SIZE = (240, 320)
COLORS = {
    "two on white": ((255, 255, 255), [(0, 0, 255), (255, 0, 0)]),
    "three on white": ((255, 255, 255), [(0, 0, 0), (255, 0, 0), (0, 160, 0)]),
    "three on black": ((0, 0, 0), [(255, 0, 0), (0, 255, 0), (0, 0, 255)]),
    "three on grey": ((250, 250, 250), [(200, 60, 30), (30, 120, 220), (40, 160, 60)]),
    "VOC": ((0, 0, 0), [(128, 0, 0), (0, 128, 0), (128, 128, 0)]),
}
GREYS = {
    "0 empty": (0, [128, 255]),
    "255 empty": (255, [0, 128]),
    "128 empty": (128, [0, 255]),
    "three": (0, [85, 170, 255]),
}
APART = [(0.1, 0.06, 0.9, 0.08), (0.3, 0.5, 0.5, 0.52), (0.6, 0.2, 0.9, 0.6)]
CROSSING = [(0.1, 0.1, 0.9, 0.3), (0.5, 0.05, 0.45, 0.9), (0.2, 0.7, 0.9, 0.75)]
QUALITIES = (50, 60, 75, 90, 95, 100)
METHODS = (Resampling.BILINEAR, Resampling.BICUBIC, Resampling.LANCZOS)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("stroke_colors", __doc__)
    command_line.add_root(parser, "iseg/, ecssd/, fields/, objects/: photographs")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Try every drawing, print and write how many came back right."""
    from benchmarks.harness import results

    settings = results.machine(args.threads)
    found: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, data, suffix, hard, colors in drawings():
            path = Path(folder) / f"s{suffix}"
            path.write_bytes(data)
            row = found.setdefault(kind, {"right": 0, "tried": 0})
            row["tried"] += 1
            row["right"] += is_right(path, hard, colors)
    for kind, row in found.items():
        print(f"{kind:<28} {row['right']:4} of {row['tried']}")
    photographs = list(_photographs(args.root))
    taken = sum(_classes(path) is not None for path in photographs)
    print(f"{'photographs taken':<28} {taken:4} of {len(photographs)}")
    written = {"run": settings, "drawings": found}
    written["photographs"] = {"taken": taken, "tried": len(photographs)}
    results.write_results(results.result_path(args, settings), written)


def drawings() -> Iterator[tuple[str, bytes, str, np.ndarray, list[Any]]]:
    """Kind, file, suffix, the hard drawing (H, W, C), its colours."""
    for (name, (canvas, colors)), lines in itertools.product(
        (COLORS | GREYS).items(), (APART, CROSSING)
    ):
        tone = "grey" if name in GREYS else "colour"

        def draw(width: float, scale: float = 1, c=canvas, cs=colors, at=lines) -> Image.Image:
            return _draw(c, cs, at, width * scale, scale)

        for width in (2, 3, 5, 8):
            hard = np.asarray(draw(width))
            hard = hard.reshape(*SIZE, -1)
            soft = draw(width, 4).resize(SIZE[::-1], Resampling.BOX)
            yield f"soft, {tone}", *_file(soft, ".png"), hard, colors
            wide = "5 px and more" if width >= 5 else "2 and 3 px"
            for quality, image in itertools.product(QUALITIES, (draw(width), soft)):
                data = _file(image, ".jpg", quality=quality)
                yield f"JPEG, {tone}, {wide}", *data, hard, colors
            for factor, method in itertools.product((1.37, 2), METHODS):
                image = draw(width, factor).resize(SIZE[::-1], method)
                yield f"resized, {tone}, {wide}", *_file(image, ".png"), hard, colors


def _draw(canvas: Any, colors: list[Any], lines: list[Any], width: float, scale: float) -> Any:
    h, w = round(SIZE[0] * scale), round(SIZE[1] * scale)
    image = Image.new("L" if isinstance(canvas, int) else "RGB", (w, h), canvas)
    pen = ImageDraw.Draw(image)
    for (x0, y0, x1, y1), color in zip(lines, colors, strict=False):
        pen.line((w * x0, h * y0, w * x1, h * y1), fill=color, width=max(1, round(width)))
    return image


def _file(image: Image.Image, suffix: str, **options: Any) -> tuple[bytes, str]:
    data = io.BytesIO()
    image.save(data, "JPEG" if suffix == ".jpg" else "PNG", **options)
    return data.getvalue(), suffix


def is_right(path: Path, hard: np.ndarray, colors: list[Any]) -> bool:
    """Whether the classes are as many as were drawn, and each lies on a stroke of its own."""
    from scipy import ndimage

    found = _classes(path)
    if found is None or len(found) != len(colors):
        return False
    strokes = [ndimage.binary_dilation((hard == c).all(-1), iterations=2) for c in colors]
    owners = [
        next((i for i, s in enumerate(strokes) if (mask & s).sum() >= 0.6 * mask.sum()), -1)
        for mask in found
    ]
    return sorted(owners) == list(range(len(colors)))


def _classes(path: Path) -> list[np.ndarray] | None:
    from saccade.errors import InputError
    from saccade.scribbles.readers import read_strokes

    try:
        strokes = read_strokes(path)
    except InputError:
        return None
    return [strokes.labels == value for value in strokes.classes]


def _photographs(root: Path) -> Iterator[Path]:
    for folder in ("iseg/images", "ecssd/images"):
        yield from sorted((root / folder).iterdir())
    yield from sorted(root.glob("fields/*/images/*"))[::3]
    yield from sorted((root / "objects/images").iterdir())[::20]


if __name__ == "__main__":
    sys.exit(main())
