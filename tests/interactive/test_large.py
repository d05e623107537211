"""Images far above the working size: the strips of the enlargement must not show."""

from functools import partial

import numpy as np
import pytest
import torch
from skimage.transform import resize

from saccade.interactive import posterior
from saccade.interactive.scene import describe


@pytest.fixture
def scene():
    """A noisy picture, 600 rows, described at a 60th of its pixels."""
    small = torch.rand(20, 27, 3, generator=torch.Generator().manual_seed(0)).numpy()
    noise = np.random.default_rng(0).normal(0, 0.05, (600, 403, 3))
    image = (resize(small, (600, 403)) + noise).clip(0, 1)
    return describe((255 * image).astype(np.uint8), max_pixels=4_000)


@pytest.mark.parametrize("classes", [2, 5])
def test_strips_leave_no_seam(scene, monkeypatch, classes):
    scores = torch.randn(classes, *scene.half, generator=torch.Generator().manual_seed(1))
    mean = (2 * scores).softmax(0)
    doubt = 1 - mean.square().sum(0, keepdim=True)
    probabilities, uncertainty = posterior.enlarge(scene, mean, doubt)
    assert scene.size[0] > 2 * 256  # several strips, the last one short
    enlarging = [name for name in vars(posterior) if name.startswith("guided_")]
    assert enlarging
    for name in enlarging:
        in_one_piece = partial(getattr(posterior, name), rows=scene.size[0])
        monkeypatch.setattr(posterior, name, in_one_piece)
    whole, smooth = posterior.enlarge(scene, mean, doubt)
    np.testing.assert_allclose(probabilities, whole, rtol=0, atol=1e-5)
    np.testing.assert_allclose(uncertainty, smooth, rtol=0, atol=1e-5)
