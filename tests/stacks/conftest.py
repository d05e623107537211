"""A ball in a noisy stack, drawn on in two of its slices."""

from dataclasses import replace

import numpy as np
import pytest

from saccade.interactive.presets import preset_named

SHAPE = (8, 48, 64)


@pytest.fixture(scope="session")
def quick():
    """Network and colors alone, which need no weights trained for planes without strokes."""
    return replace(preset_named("fast"), fusion=False)


@pytest.fixture(scope="session")
def ball():
    z, y, x = np.mgrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return ((y - 24) / 15) ** 2 + ((x - 30) / 18) ** 2 + ((z - 4) / 4) ** 2 < 1


@pytest.fixture
def stack(ball):
    noise = np.random.default_rng(0).normal(100, 8, SHAPE)
    return (noise + 60 * ball).astype(np.uint16)


@pytest.fixture
def strokes():
    labels = np.full(SHAPE, 255, np.uint8)
    for z in (2, 4):
        labels[z, 3, 6:58] = labels[z, 45, 6:58] = 0
        labels[z, 23:25, 24:36] = 1
    return labels


def iou(labels, truth):
    found = np.asarray(labels) == 1
    return (found & truth).sum() / (found | truth).sum()
