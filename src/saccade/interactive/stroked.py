"""One of several images with strokes, both at the sizes that the stages need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import Preset
from saccade.interactive.stroke_maps import StrokeMaps, stroke_maps


@dataclass(frozen=True)
class Stroked:
    """An image with strokes, both prepared."""

    image: PreparedImage
    strokes: StrokeMaps


def prepare_strokes(
    image: PreparedImage,
    stroke_index: NDArray[np.int64],
    classes: tuple[int, ...],
    preset: Preset,
    *,
    assume_ground: bool = False,
) -> Stroked:
    """Bring strokes of one of several images to the sizes that the stages need.

    Args:
        image: of `prepare_image`.
        stroke_index: (H, W) class index, K where nobody drew.
        classes: the K class values.
        preset: of the fit.
        assume_ground: whether there is a provisional ground, as no image shows a second class.
    """
    maps = stroke_maps(image, stroke_index, classes, preset.fit, assume_ground=assume_ground)
    return Stroked(image, maps)
