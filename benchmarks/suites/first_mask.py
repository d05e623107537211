"""The first mask: one click on the object, everything else provisional.

    python -m benchmarks.first_mask ROOT --set objects --every 80 --skip 7

One disc of radius 5 at the deepest point of the object; the mask's IoU with provisional ground as
Saccade chooses it and with simpler choices: the whole border ring of the image, and the half of it
that paths of little contrast reach last. Choices are made on `objects`; other sets only measure.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from benchmarks.harness import command_line

if TYPE_CHECKING:
    from torch import Tensor

    from benchmarks.harness.datasets import MaskedImage

SETS = ("objects", "ecssd", "davis", "iseg")
GOOD, BAD = 0.8, 0.5


@dataclass(frozen=True)
class Line:
    """The first mask of one image with one choice of ground."""

    image: str
    ground: str
    iou: float
    on_object: float  # share of the ground's seeds that lie on the object


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = command_line.suite_parser("first_mask", __doc__)
    command_line.add_root(parser, "objects/, ecssd/, davis/ or iseg/")
    command_line.add_selection(parser)
    parser.add_argument("--set", choices=SETS, default="objects", help="default %(default)s")
    parser.add_argument("--skip", type=int, default=0, help="images before the first, default 0")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code."""
    return command_line.run_suite(build_parser(), run, argv)


def run(args: argparse.Namespace) -> None:
    """Measure image by image, print the summary, write the files."""
    from benchmarks.harness import results

    lines: list[Line] = []
    for image in images_of(args.root, args.set, args.skip, args.every, args.limit):
        lines += measure(image)
        print(f"{lines[-1].image}: {lines[-1].iou:.3f}", file=sys.stderr, flush=True)
    settings = results.machine(args.threads) | {
        "set": args.set,
        "images": len(lines) // len(GROUNDS),
    }
    path = results.result_path(args, settings)
    table = [asdict(line) for line in lines]
    results.write_results(path, {"run": settings, "table": table}, table if args.csv else None)
    print(summary(lines))
    results.report_written(path, args)


def images_of(
    root: Path, name: str, skip: int, every: int, limit: int | None
) -> "list[MaskedImage]":
    """Every n-th image of a set after the first ``skip``."""
    from benchmarks.harness.datasets import MaskedImage, load_masked
    from saccade.errors import InputError
    from saccade.images import load_image

    if name != "objects":
        return load_masked(root, name)[skip::every][:limit]
    folder = root / name
    masks = sorted((folder / "masks").glob("*.png"))[skip::every][:limit]
    if not masks:
        raise InputError(f"{folder / 'masks'}: no masks, expected PNG files")
    return [
        MaskedImage(
            mask.stem,
            load_image(folder / "images" / f"{mask.stem}.jpg"),
            (load_image(mask)[..., 0] > 0).astype(np.uint8),
        )
        for mask in masks
    ]


def measure(image: "MaskedImage") -> list[Line]:
    """The IoU of the first mask with each choice of ground."""
    from PIL import Image

    from saccade import ScribbleSegmenter
    from saccade.scribbles.clicks import draw_click, largest_error

    found = largest_error(image.truth, np.zeros_like(image.truth))
    assert found is not None
    click = draw_click(image.truth, 1, found.place).pixels
    strokes = np.where(click, 1, 255)
    lines = []
    for name, choose in GROUNDS.items():
        seeds: list[Any] = []

        def kept(*given: Any, choose: Any = choose, seeds: Any = seeds) -> Any:
            seeds.append(choose(*given))
            return seeds[-1]

        with patch("saccade.interactive.stroke_maps.provisional_ground", kept):
            labels = ScribbleSegmenter("fast").fit(image.image, strokes).predict()
        known = image.truth != 255
        ours, theirs = (labels == 1) & known, image.truth == 1
        small = Image.fromarray(image.truth).resize(seeds[0].shape[::-1], Image.Resampling.NEAREST)
        on_object = float(seeds[0].numpy()[np.asarray(small) == 1].sum() / max(1, seeds[0].sum()))
        lines.append(
            Line(image.stem, name, float((ours & theirs).sum() / (ours | theirs).sum()), on_object)
        )
    return lines


def _shipped(prepared: Any, drawn: "Tensor", odds: "Tensor | None" = None) -> "Tensor":
    from saccade.interactive.provisional import provisional_ground

    return provisional_ground(prepared, drawn, odds)


def _whole_ring(prepared: Any, drawn: "Tensor", odds: "Tensor | None" = None) -> "Tensor":
    ring = ~drawn
    ring[2:-2, 2:-2] = False
    return ring


def _far_half(prepared: Any, drawn: "Tensor", odds: "Tensor | None" = None) -> "Tensor":
    from saccade.scribbles.distances import geodesic_distances

    ring = _whole_ring(prepared, drawn)
    paths = geodesic_distances(drawn[None, None], prepared.standardized_lab[None])[0, 0]
    return ring & (paths >= paths[ring].median())


GROUNDS: dict[str, Callable[..., "Tensor"]] = {
    "whole ring": _whole_ring,
    "far half of the ring": _far_half,
    "shipped": _shipped,
}


def summary(lines: Sequence[Line]) -> str:
    """For each choice of ground: mean and median IoU, and how many masks are bad and good."""
    rows = [f"{'ground':20}  {'mean':>5}  median  below {BAD}  above {GOOD}  seeds on object"]
    for name in dict.fromkeys(line.ground for line in lines):
        chosen = [line for line in lines if line.ground == name]
        scores = np.array([line.iou for line in chosen])
        wrong = np.mean([line.on_object for line in chosen])
        rows.append(
            f"{name:20}  {scores.mean():.3f}  {np.median(scores):>6.3f}"
            f"  {np.mean(scores < BAD):>9.2f}  {np.mean(scores > GOOD):>9.2f}  {wrong:>15.3f}"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
