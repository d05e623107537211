"""Views of whole things: windows of photographs with one object, another pasted in at times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from saccade.errors import InputError
from scripts.train_bundled.windows import Image8, Rng, Size, jitter

Mask = NDArray[np.bool_]  # (H, W)

CLOSE = 0.55  # share of views that are windows around the object
PASTED = 0.2  # share of views with another object in it, which is the one that is meant in most
_MEANT = 0.6  # share of these where what was pasted is meant
_BLURRED = 0.1
_AREAS = 0.003, 0.9  # of the object, as a share of the view
_TRIES = 20


@dataclass(frozen=True)
class Thing:
    """A photograph and the mask of its object."""

    image: Path
    mask: Path


def things(root: Path) -> list[Thing]:
    """The photographs of ``objects``.

    Raises:
        InputError: there are none.
    """
    folder = root / "objects"
    found = [
        Thing(path, folder / "masks" / f"{path.stem}.png")
        for path in sorted((folder / "images").iterdir())
    ]
    if not found:
        raise InputError(f"{folder / 'images'}: no photographs, expected some with masks beside it")
    return found


def draw_view(rng: Rng, photos: list[Thing], size: Size, number: int) -> tuple[Image8, Mask]:
    """A view of a photograph, or of another one where that has no view of this size.

    Args:
        rng: chooses the window, what is pasted, and the light.
        photos: of `things`.
        size: (H, W) of the view.
        number: of the photograph to begin with.
    """
    for _ in range(_TRIES):
        image, mask = _load(photos[number])
        number = int(rng.integers(len(photos)))
        window = None if _other_way_up(rng, image, size) else _window(rng, image, mask, size)
        if window is None:
            continue
        seen = np.asarray(image.resize(size[::-1], Image.Resampling.BICUBIC, box=window))
        there = np.asarray(mask.resize(size[::-1], Image.Resampling.BILINEAR, box=window)) > 127
        if not _AREAS[0] < there.mean() < _AREAS[1]:
            continue
        if rng.random() < PASTED:
            seen, there = _paste(rng, photos, seen, there)
        if rng.random() < 0.5:
            seen, there = seen[:, ::-1], there[:, ::-1]
        return np.ascontiguousarray(_in_other_light(rng, seen)), np.ascontiguousarray(there)
    raise InputError(f"objects: {_TRIES} photographs had no view of {size[0]}x{size[1]}")


def _load(photo: Thing) -> tuple[Image.Image, Image.Image]:
    mask = Image.open(photo.mask).convert("L").point(lambda value: 255 * (value > 0))
    return Image.open(photo.image).convert("RGB"), mask


def _other_way_up(rng: Rng, image: Image.Image, size: Size) -> bool:
    """Whether to pass over a photograph that is upright where the view is not, or vice versa."""
    ratio = (image.width / image.height) / (size[1] / size[0])
    return bool(abs(np.log(ratio)) > 0.75 and rng.random() < 0.8)


def _window(
    rng: Rng, image: Image.Image, mask: Image.Image, size: Size
) -> tuple[float, float, float, float] | None:
    """(left, top, right, bottom): nearly all of the photograph, or around its object."""
    box = mask.getbbox()
    if box is None:
        return None
    aspect = size[1] / size[0] * np.exp(rng.uniform(-0.15, 0.15))
    largest = min(image.width / aspect, image.height)
    if rng.random() < CLOSE:
        x0, y0, x1, y1 = box
        height = max(y1 - y0, (x1 - x0) / aspect) * np.exp(rng.uniform(np.log(1.1), np.log(3.0)))
        height = min(max(height, 40.0), largest)
        x = (x0 + x1) / 2 + rng.normal(0, 0.12) * height * aspect
        y = (y0 + y1) / 2 + rng.normal(0, 0.12) * height
    else:
        height = largest * rng.uniform(0.8, 1.0)
        x, y = rng.uniform(0, image.width), rng.uniform(0, image.height)
    width = height * aspect
    left = float(np.clip(x - width / 2, 0, max(0.0, image.width - width)))
    top = float(np.clip(y - height / 2, 0, max(0.0, image.height - height)))
    return left, top, min(left + width, image.width), min(top + height, image.height)


def _paste(rng: Rng, photos: list[Thing], seen: Image8, there: Mask) -> tuple[Image8, Mask]:
    """Another object beside or before this one; one of the two is meant.

    Without it a network learns that the most striking thing of a photograph is meant, wherever
    somebody clicks.
    """
    image, mask = _load(photos[int(rng.integers(len(photos)))])
    box = mask.getbbox()
    if box is None:
        return seen, there
    image, mask = image.crop(box), mask.crop(box)
    area = max(1, int((np.asarray(mask) > 0).sum()))
    scale = np.sqrt(there.sum() / area) * np.exp(rng.uniform(-0.7, 0.5))
    width, height = int(image.width * scale), int(image.height * scale)
    full_height, full_width = there.shape
    if min(width, height) < 12 or width > 0.8 * full_width or height > 0.8 * full_height:
        return seen, there
    soft = mask.filter(ImageFilter.GaussianBlur(1)).resize((width, height))
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    for _ in range(6):
        place = (
            int(rng.integers(-width // 4, full_width - 3 * width // 4)),
            int(rng.integers(-height // 4, full_height - 3 * height // 4)),
        )
        alpha = Image.new("L", (full_width, full_height))
        alpha.paste(soft, place)
        new = np.asarray(alpha) > 127
        rest = there & ~new
        if new.sum() < 100 or rest.sum() < 0.6 * there.sum():
            continue
        front = Image.new("RGB", (full_width, full_height))
        front.paste(image, place)
        both = Image.composite(front, Image.fromarray(seen), alpha)
        return np.asarray(both), new if rng.random() < _MEANT else rest
    return seen, there


def _in_other_light(rng: Rng, image: Image8) -> Image8:
    """Saturation down to none, contrast, brightness, colors; a little blur now and then."""
    if rng.random() < 0.8:
        least = 0.4 if rng.random() < 0.5 else 0.0
        image = jitter(rng, image, saturation=(least, 1.4), contrast=(0.6, 1.3), brightness=0.12)
    if rng.random() < _BLURRED:
        blur = ImageFilter.GaussianBlur(rng.uniform(0.5, 1.5))
        image = np.asarray(Image.fromarray(np.ascontiguousarray(image)).filter(blur))
    return image
