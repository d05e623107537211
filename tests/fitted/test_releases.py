"""Files that earlier releases wrote are read, and give the masks that they gave.

Folders in `releases` come from `scripts/model_fixture.py` and are never written again.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import saccade

RELEASES = sorted((Path(__file__).parent / "releases").iterdir())
SAME_WEIGHTS = 0.999, 0.01
"""Least share of pixels with their class, and largest mean difference of probabilities."""
OTHER_WEIGHTS = 0.97, 0.1
"""The same once other weights are bundled: the file is fitted again to the strokes it has."""


def read(path):
    return np.asarray(Image.open(path))


def allowed(model):
    again = any("fitted again" in line for line in model.remarks)
    return OTHER_WEIGHTS if again else SAME_WEIGHTS


def test_there_are_files_to_read():
    assert [folder.name for folder in RELEASES][:1] == ["0.1.0-format-1"]


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
def test_a_file_of_an_earlier_release_gives_its_mask(folder):
    model = saccade.load(folder / "cells.saccade")
    found, mask = model.predict(read(folder / "image.png")), read(folder / "mask.png")
    share, difference = allowed(model)
    assert 0.05 < mask.mean() < 0.5  # there are cells to find
    assert (found.labels == mask).mean() >= share
    assert abs(found.probabilities[1] - read(folder / "probability.png") / 255).mean() <= difference
    assert model.names == {0: "ground", 1: "cell"}


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
def test_it_can_be_fitted_to_more_strokes(folder):
    model, rgb = saccade.load(folder / "cells.saccade"), read(folder / "image.png")
    lines = np.full(rgb.shape[:2], 255, np.uint8)
    lines[2:4, 20:60] = 0
    model.update([rgb], [lines])
    assert len(model.stroked) == 3
    assert (model.predict(rgb).labels == read(folder / "mask.png")).mean() >= OTHER_WEIGHTS[0]
