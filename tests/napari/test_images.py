"""Intensities in napari follow the rule of files and arrays, unless somebody set the contrast."""

import warnings

import numpy as np
import pytest

from saccade.images import read_array
from saccade.napari import model

pytestmark = pytest.mark.filterwarnings("default")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    components = pytest.importorskip("napari.components", reason="saccade[napari] is missing")

RNG = np.random.default_rng(0)
COUNTS = RNG.integers(100, 401, (40, 50))


def hot(values):
    values = values.copy()
    values[0, :2] = values.max() * 50
    return values


KINDS = {
    "dim": COUNTS.astype(np.uint16),
    "signed": (COUNTS - 300).astype(np.int16),
    "hot": hot(COUNTS.astype(np.uint16)),
    "full": RNG.integers(0, 65536, (40, 50)).astype(np.uint16),
    "unit": RNG.random((40, 50)).astype(np.float32),
    "heights": hot(COUNTS.astype(np.float32)),
    "gap": np.where(COUNTS > 390, np.nan, COUNTS).astype(np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stack", [False, True])
def test_layers_are_read_as_arrays_are(kind, stack):
    values = KINDS[kind]
    data = np.stack([values, values]) if stack else values
    layer = components.ViewerModel().add_image(data)
    found = model.read_picture(layer, (1,) if stack else ())
    expected = read_array(values)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    assert found.remarks == expected.remarks


@pytest.mark.parametrize("kind", ["dim", "unit", "heights"])
def test_contrast_that_somebody_set_is_kept(kind):
    values = KINDS[kind]
    low, high = float(np.quantile(values, 0.2)), float(np.quantile(values, 0.6))
    layer = components.ViewerModel().add_image(values, contrast_limits=(low, high))
    expected = np.rint(((values.astype(np.float32) - low) / (high - low)).clip(0, 1) * 255)
    found = model.picture_of(layer, ())[..., 0].astype(int)
    assert np.abs(found - expected).max() <= 1


def test_colors_of_12_bits():
    values = RNG.integers(0, 4096, (40, 50, 3)).astype(np.uint16)
    layer = components.ViewerModel().add_image(values, rgb=True)
    found = model.read_picture(layer, ())
    np.testing.assert_array_equal(found.pixels, read_array(values).pixels)
    assert "stretched" in found.remarks[0]
