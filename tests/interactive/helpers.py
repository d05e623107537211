"""Small presets, and what must hold for every segmentation."""

import numpy as np

from saccade.interactive import Preset
from saccade.interactive.presets import LearnedFitSettings, PaperFitSettings, PottsSettings

QUICK = Preset(
    fit=LearnedFitSettings(per_class=16, repeats=1), draws=2, refine=PottsSettings(iterations=10)
)
PAPER = Preset(fit=PaperFitSettings(steps=6), draws=2, fusion=False, refine=None)
OWN = {"learned": QUICK, "paper": PAPER}


def check(result, strokes, classes, unlabeled=255):
    """All that holds for every segmentation."""
    height, width = strokes.shape
    assert result.classes == classes
    assert result.labels.shape == result.uncertainty.shape == (height, width)
    assert result.labels.dtype == np.int32
    assert result.probabilities.shape == (len(classes), height, width)
    assert result.probabilities.dtype == result.uncertainty.dtype == np.float32
    np.testing.assert_allclose(result.probabilities.sum(0), 1, atol=1e-5)
    assert result.probabilities.min() >= 0
    assert 0 <= result.uncertainty.min() <= result.uncertainty.max() <= 1
    winners = np.array(classes)[result.probabilities.argmax(0)]
    assert np.array_equal(result.labels, winners)
    drawn = strokes != unlabeled
    assert np.array_equal(result.labels[drawn], strokes[drawn])
    own = np.array(classes)[:, None] == strokes[drawn].astype(int)
    assert np.array_equal(result.probabilities[:, drawn], own.astype(np.float32))
    assert (result.uncertainty[drawn] == 0).all()


def equal(first, second):
    return (
        np.array_equal(first.labels, second.labels)
        and np.array_equal(first.probabilities, second.probabilities)
        and np.array_equal(first.uncertainty, second.uncertainty)
    )


def tiny(size, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    strokes = np.full(size, 255, np.uint8)
    strokes[0, 0], strokes[-1, -1] = 0, 1
    return image, strokes
