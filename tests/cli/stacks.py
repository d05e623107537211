"""A stack of noise with a thing in all slices, and strokes on one of them."""

import numpy as np
import pytest
import tifffile

SHAPE = (5, 40, 56)


def noisy_values(shape=SHAPE):
    """Numbers (..., H, W) with a lighter block."""
    noise = np.random.default_rng(0).normal(100, 8, shape)
    noise[..., 10:30, 16:40] += 60
    return noise


@pytest.fixture
def drawn(tmp_path):
    """Strokes on one slice, in a file of five pages."""
    labels = np.full(SHAPE, 255, np.uint8)
    labels[2, 3, 4:50], labels[2, 19:21, 22:34] = 0, 1
    tifffile.imwrite(tmp_path / "drawn.tif", labels)
    return tmp_path / "drawn.tif"
