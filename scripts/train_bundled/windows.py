"""Windows of photographs: cropped, resized, mirrored, and with other light."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Image8 = NDArray[np.uint8]  # (H, W, 3)
Labels = NDArray[np.uint8]  # (H, W), 255 unknown
Episode = tuple[Image8, Labels, Labels]  # image, truth, strokes
Size = tuple[int, int]
Rng = np.random.Generator


def load_labels(path: Path) -> Labels:
    """The values of a PNG with labels."""
    return np.asarray(Image.open(path))


def load_photo(path: Path) -> Image8:
    """In RGB."""
    return np.asarray(Image.open(path).convert("RGB"))


def crop(
    rng: Rng, size: Size, image: Image8, *labels: Labels, least: float = 0.6, most: float = 1.0
) -> list[NDArray[np.uint8]]:
    """A random window of the aspect of ``size``, resized to it; portrait images are turned.

    The window is ``least`` to ``most`` of the largest that fits; mirrored in every other case.
    Returns the image and what else was given.
    """
    if image.shape[0] > image.shape[1]:
        image, labels = image.transpose(1, 0, 2), tuple(one.T for one in labels)
    height, width = image.shape[:2]
    scale = min(height / size[0], width / size[1]) * rng.uniform(least, most)
    h, w = int(size[0] * scale), int(size[1] * scale)
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    area = (slice(y, y + h), slice(x, x + w))
    return resize(rng, size, image[area], *(one[area] for one in labels))


def resize(rng: Rng, size: Size, image: Image8, *labels: Labels) -> list[NDArray[np.uint8]]:
    """To ``size``, mirrored in every other case."""
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], tuple(one[:, ::-1] for one in labels)

    def to(array: NDArray[np.uint8], how: Image.Resampling) -> NDArray[np.uint8]:
        return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize(size[::-1], how))

    nearest = [to(one, Image.Resampling.NEAREST) for one in labels]
    return [to(image, Image.Resampling.BICUBIC), *nearest]


def jitter(
    rng: Rng,
    image: Image8,
    *,
    saturation: tuple[float, float] = (0.6, 1.3),
    contrast: tuple[float, float] = (0.7, 1.2),
    brightness: float = 0.1,
) -> Image8:
    """Brightness, contrast, saturation and hue-like channel gains."""
    x = image.astype(np.float32) / 255
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(*saturation)
    x = (x - x.mean()) * rng.uniform(*contrast) + x.mean() + rng.uniform(-brightness, brightness)
    x = x * rng.uniform(0.9, 1.1, 3)
    return np.asarray((x.clip(0, 1) * 255).astype(np.uint8))
