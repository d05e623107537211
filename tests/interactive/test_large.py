"""Images far above the working size: the strips of the enlargement must not show."""

from functools import partial

import numpy as np
import pytest
import torch
from skimage.transform import resize

from saccade.interactive import refinement
from saccade.interactive.prepared import prepare_image


@pytest.fixture
def prepared():
    """A noisy picture, 600 rows, prepared at a 60th of its pixels."""
    small = torch.rand(20, 27, 3, generator=torch.Generator().manual_seed(0)).numpy()
    noise = np.random.default_rng(0).normal(0, 0.05, (600, 403, 3))
    image = (resize(small, (600, 403)) + noise).clip(0, 1)
    return prepare_image((255 * image).astype(np.uint8), max_pixels=4_000)


@pytest.mark.parametrize("classes", [2, 5])
def test_strips_leave_no_seam(prepared, monkeypatch, classes):
    scores = torch.randn(classes, *prepared.half_size, generator=torch.Generator().manual_seed(1))
    mean = (2 * scores).softmax(0)
    unsure = 1 - mean.square().sum(0, keepdim=True)
    probabilities, uncertainty = refinement.upsample(mean, unsure, prepared.rgb)
    assert prepared.size[0] > 2 * 256  # several strips, the last one short
    enlarging = [name for name in vars(refinement) if name.startswith("guided_")]
    assert enlarging
    for name in enlarging:
        in_one_piece = partial(getattr(refinement, name), rows=prepared.size[0])
        monkeypatch.setattr(refinement, name, in_one_piece)
    whole, smooth = refinement.upsample(mean, unsure, prepared.rgb)
    np.testing.assert_allclose(probabilities, whole, rtol=0, atol=1e-5)
    np.testing.assert_allclose(uncertainty, smooth, rtol=0, atol=1e-5)
