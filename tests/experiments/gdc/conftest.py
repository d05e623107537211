import numpy as np
import pytest

from saccade.experiments.engine.load_samples import LoadedSample


@pytest.fixture(scope="module")
def disc():
    """A bright disc of 64 x 80 with a stroke inside and one around."""
    y, x = np.mgrid[:64, :80]
    truth = (np.hypot(y - 32, x - 40) < 20).astype(np.uint8)
    noise = np.random.default_rng(0).normal(0, 5, truth.shape)
    grey = np.clip(60 + 130 * truth + noise, 0, 255)
    image = np.stack([grey, grey, 255 - grey], axis=2).astype(np.uint8)
    strokes = np.full(truth.shape, 255, np.uint8)
    strokes[31:33, 32:48] = 1
    strokes[3:5, 4:76] = 0
    return LoadedSample(image, strokes, truth)
