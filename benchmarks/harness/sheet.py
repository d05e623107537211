"""The worst cases of the first method as one picture: what a number does not tell."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from benchmarks.harness.datasets import UNKNOWN, UNLABELED, Pair, num_classes, score_image
from saccade.files import atomic_write

WIDTH, GAP, MARGIN, CAPTION, HEADER = 300, 12, 24, 26, 36
PAPER, INK, QUIET = (250, 250, 248), (28, 28, 30), (110, 110, 115)
BACKGROUND_STROKE, OBJECT_STROKE, CONTOUR = (36, 112, 240), (240, 60, 40), (255, 214, 0)
UNKNOWN_GREY = (225, 225, 225)  # lighter than CamVid's sky
# SegNet's colours for CamVid's classes 0 .. 10.
CAMVID = np.array(
    [
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (0, 0, 192), (128, 128, 0),
        (192, 128, 128), (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ],
    np.uint8,
)  # fmt: skip

Pixels = NDArray[np.uint8]


def write(
    path: Path,
    name: str,
    pairs: Sequence[Pair],
    labels: Mapping[str, Sequence[Pixels]],
    count: int = 6,
) -> None:
    """Write the `count` images where the first method scores lowest, one row each.

    Columns: image, strokes, truth, the first method, and on each image the best other one.

    Args:
        path: PNG file.
        name: name of the set.
        pairs: its images.
        labels: method -> one (H, W) result per image; the first method is "ours".
        count: how many rows.
    """
    scores = {
        method: [score_image(name, p.truth, r) for p, r in zip(pairs, results, strict=True)]
        for method, results in labels.items()
    }
    first, *others = labels
    worst = np.argsort(scores[first], kind="stable")[:count]
    strokes_caption = "strokes" + (
        " (red object, blue background)" if num_classes(name) == 2 else ""
    )
    rows = []
    for i in worst:
        pair = pairs[i]
        panels = [
            (pair.stem, pair.image),
            (strokes_caption, _with_strokes(pair, name)),
            ("ground truth", _with_labels(pair, pair.truth, name)),
        ]
        best = max(others, key=lambda method: scores[method][i], default=None)
        for method in [first] + ([best] if best else []):
            panel = _with_labels(pair, labels[method][i], name)
            panels.append((f"{method}  {scores[method][i]:.3f}", panel))
        rows.append(panels)
    title = f"{name}: the {len(rows)} worst of {len(pairs)} for {first} (mIoU of the image)"
    with atomic_write(path) as temporary:
        _compose(title, rows).save(temporary)


def _compose(title: str, rows: Sequence[Sequence[tuple[str, Pixels]]]) -> Image.Image:
    columns = max(len(row) for row in rows)
    heights = [max(_height(panel) for _, panel in row) for row in rows]
    size = (
        2 * MARGIN + columns * WIDTH + (columns - 1) * GAP,
        2 * MARGIN + HEADER + sum(h + CAPTION + GAP for h in heights) - GAP,
    )
    page = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((MARGIN, MARGIN - 6), title, INK, ImageFont.load_default(20))
    font = ImageFont.load_default(14)
    y = MARGIN + HEADER
    for row, height in zip(rows, heights, strict=True):
        for column, (caption, panel) in enumerate(row):
            x = MARGIN + column * (WIDTH + GAP)
            small = Image.fromarray(panel).resize((WIDTH, _height(panel)), Image.Resampling.LANCZOS)
            page.paste(small, (x, y))
            draw.text((x, y + small.height + 4), caption, INK if column else QUIET, font)
        y += height + CAPTION + GAP
    return page


def _height(panel: Pixels) -> int:
    return max(1, round(panel.shape[0] * WIDTH / panel.shape[1]))


def _with_strokes(pair: Pair, name: str) -> Pixels:
    """Strokes on the faded image, thickened to survive the reduction, with a white rim."""
    picture = _faded(pair.image, 0.55)
    radius = max(1, round(pair.image.shape[1] / WIDTH))
    picture[ndimage.binary_dilation(pair.strokes != UNLABELED, iterations=2 * radius)] = 255
    for value in np.unique(pair.strokes[pair.strokes != UNLABELED]):
        picture[ndimage.binary_dilation(pair.strokes == value, iterations=radius)] = _color(
            int(value), name
        )
    return picture


def _with_labels(pair: Pair, labels: NDArray[np.integer], name: str) -> Pixels:
    """Two classes: the object in full colour with a contour on a dark ground; more: overlay."""
    unknown = labels == UNKNOWN
    if num_classes(name) > 2:
        colours = CAMVID[np.where(unknown, 0, labels)]
        picture = (0.3 * pair.image + 0.7 * colours).astype(np.uint8)
    else:
        picture = np.where((labels == 1)[..., None], pair.image, _dark(pair.image))
        radius = max(1, round(pair.image.shape[1] / WIDTH))
        inside = labels == 1
        picture[inside & ~ndimage.binary_erosion(inside, iterations=radius)] = CONTOUR
    picture[unknown] = UNKNOWN_GREY
    return picture


def _color(value: int, name: str) -> tuple[int, int, int]:
    if num_classes(name) > 2:
        red, green, blue = CAMVID[value].tolist()
        return red, green, blue
    return OBJECT_STROKE if value == 1 else BACKGROUND_STROKE


def _grey(image: Pixels) -> NDArray[np.float64]:
    return (image @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=-1)


def _faded(image: Pixels, amount: float) -> Pixels:
    """Towards light grey, so that strokes stand out."""
    return (
        (image * (1 - amount) + (0.5 * _grey(image) + 120) * amount).clip(0, 255).astype(np.uint8)
    )


def _dark(image: Pixels) -> Pixels:
    return (0.35 * _grey(image)).astype(np.uint8)
