"""Masks of class indices from masks that no training can read as they are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.examples import read_values
from saccade.discovery.meaning import Meaning
from saccade.formats.masks import write_mask

_ROWS = 64


def converted(masks: list[tuple[Path, Path]], meaning: Meaning) -> Callable[[], None]:
    """What writes a palette PNG of class indices for each mask.

    Args:
        masks: files of masks, and where to write.
        meaning: of their values, with how to convert.
    """

    def write() -> None:
        for source, target in masks:
            values = read_values(source)
            if meaning.convert == "objects":
                labels = (values > 0).astype(np.uint8)
            else:
                labels = nearest(values, np.array(_samples(meaning), np.float32))
            write_mask(target, labels, "png")

    return write


def nearest(values: NDArray[np.integer], samples: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The index of the sample that is nearest to each value or color.

    Args:
        values: (H, W) or (H, W, C).
        samples: (K, C), or (K, 1) for values.

    Returns:
        (H, W) uint8.

    Example:
        >>> nearest(np.array([[3, 250]]), np.array([[0.0], [255.0]], np.float32)).tolist()
        [[0, 1]]
    """
    pixels = values.reshape(*values.shape[:2], -1).astype(np.float32)
    labels = np.empty(pixels.shape[:2], np.uint8)
    for top in range(0, len(pixels), _ROWS):  # K times the pixels are many
        part = pixels[top : top + _ROWS, :, None] - samples
        labels[top : top + _ROWS] = (part**2).sum(-1).argmin(-1)
    return labels


def _samples(meaning: Meaning) -> list[tuple[int, ...]]:
    return [c.color if c.color is not None else (c.value or 0,) for c in meaning.classes]
