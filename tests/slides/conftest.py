"""Images that are large beside what is worked on at once."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.morphology import skeletonize

from benchmarks.harness.repeated_objects import repeated_objects
from saccade.images import Image
from saccade.interactive.presets import preset_named

SMALL = replace(preset_named("fast"), max_pixels=40_000)
"""Windows of 0.7 megapixels are to it what those of 12 are to the preset."""


def tiled(values, count):
    return np.tile(values, (count, count) + (1,) * (values.ndim - 2))


@pytest.fixture(scope="session")
def field():
    """Cells, (720, 960): colors, strokes all over and truth."""
    cells = repeated_objects()[2]
    return tuple(tiled(one, 2) for one in (cells.image, cells.strokes, cells.truth))


@pytest.fixture(scope="session")
def corner(field):
    """The same with strokes in one corner, one pixel wide."""
    strokes = np.full(field[1].shape, 255, np.uint8)
    for value in (0, 1):
        thin = skeletonize(field[1][:360, :480] == value)
        strokes[:360, :480][thin] = value
    return field[0], strokes, field[2]


@pytest.fixture
def image(field):
    return Image(field[0], "YXC", colors=True)
