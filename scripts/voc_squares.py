"""A small part of PASCAL VOC: the middle square of every so-manyth image, shrunk.

    python -m scripts.voc_squares VOC OUT --side 192 --train 150 --val 100

Lists, masks, people's clicks and image labels follow, so that OUT is read as VOC is. Classes that
only lie outside of the square are taken out of the image labels, clicks outside are left out; an
image whose square shows no class, or no click where there are clicks, is passed over.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from saccade.data.pascal import voc_folder
from saccade.data.sets import LabeledSet, open_set
from saccade.data.specs import IGNORE
from saccade.files import read_json
from saccade.formats.masks import write_mask
from saccade.strict_json import json_text

SETS, LABELS, CLICKS = "ImageSets/Segmentation", "image_labels.csv", "clicks.json"
FOLDERS = ("JPEGImages", "SegmentationClass", SETS)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("voc_squares", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("root", type=Path, help="VOC 2012, or a part of it")
    parser.add_argument("output", type=Path, help="a new folder")
    parser.add_argument("--side", type=int, default=192, help="pixels, default %(default)s")
    parser.add_argument("--train", type=int, default=150, help="images, default %(default)s")
    parser.add_argument("--val", type=int, default=100, help="images, default %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Write the part."""
    args = build_parser().parse_args(argv)
    clicked = voc_folder(args.root) / CLICKS
    clicks = read_json(clicked) if clicked.is_file() else {}
    for name in FOLDERS:
        (args.output / name).mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = {}
    labels = []
    for split, count in (("train", args.train), ("val", args.val)):
        data = open_set("voc", args.root, split)
        known = clicks if split == "train" else {}
        stems = _write(data, args.output, args.side, count, known, kept, labels)
        (args.output / SETS / f"{split}.txt").write_text("".join(f"{s}\n" for s in stems))
        print(f"{split}: {len(stems)} of {len(data.examples)} images")
    (args.output / LABELS).write_text("".join(f"{line}\n" for line in labels))
    if clicks:
        (args.output / CLICKS).write_text(json_text(kept) + "\n")


def _write(
    data: LabeledSet,
    output: Path,
    side: int,
    count: int,
    clicks: dict[str, Any],
    kept: dict[str, Any],
    labels: list[str],
) -> list[str]:
    """The names of the images that were written; `kept` and `labels` grow."""
    written: list[str] = []
    total = len(data.examples)
    step = max(1, total // count)
    # Every so-manyth image first, then those between, where some are passed over.
    for index in [i for start in range(step) for i in range(start, total, step)]:
        stem = data.examples[index].name
        if len(written) == count:
            break
        mask = data.labels(index)
        square, box = middle_square(mask, side)
        classes = np.setdiff1d(square, [0, IGNORE])
        inside = clicks_inside(clicks.get(stem, []), box, side, square)
        if not len(classes) or (clicks and not inside):
            continue
        y, x, edge = box
        picture = Image.fromarray(data.image(index)).crop((x, y, x + edge, y + edge))
        small = picture.resize((side, side), Image.Resampling.LANCZOS)
        small.save(output / "JPEGImages" / f"{stem}.jpg", quality=95)
        write_mask(output / "SegmentationClass" / f"{stem}.png", square, "png")
        if clicks:
            kept[stem] = inside
        labels.append(",".join([stem, *(data.spec.names[c] for c in classes)]))
        written.append(stem)
    return sorted(written)


def middle_square(mask: np.ndarray, side: int) -> tuple[np.ndarray, tuple[int, int, int]]:
    """The middle square of an (H, W) mask, shrunk by nearest pixels; and (top, left, edge) of it.

    Example:
        >>> square, box = middle_square(np.arange(8).reshape(2, 4), 2)
        >>> square.tolist(), box
        ([[1, 2], [5, 6]], (0, 1, 2))
    """
    height, width = mask.shape
    edge = min(height, width)
    y, x = (height - edge) // 2, (width - edge) // 2
    places = ((np.arange(side) + 0.5) * edge / side).astype(int)
    return mask[y + places][:, x + places], (y, x, edge)


def clicks_inside(
    clicks: Sequence[dict[str, Any]], box: tuple[int, int, int], side: int, square: np.ndarray
) -> list[dict[str, Any]]:
    """The clicks inside of a box (top, left, edge), in pixels of the square.

    Example:
        >>> clicks_inside([{"y": 1, "x": 3, "cls": 4}], (0, 2, 2), 4, np.full((4, 4), 4))
        [{'y': 2.0, 'x': 2.0, 'cls': 4}]
    """
    top, left, edge = box
    found = []
    for click in clicks:
        y, x = (click["y"] - top) * side / edge, (click["x"] - left) * side / edge
        if 0 <= y < side and 0 <= x < side and click["cls"] in square:
            found.append({**click, "y": y, "x": x})
    return found


if __name__ == "__main__":
    main()
