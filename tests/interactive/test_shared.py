"""One fit to strokes on several images, masks of others."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import preset_named
from saccade.interactive.shared import fit_shared, probabilities_of, segment_shared
from saccade.interactive.stroked import prepare_strokes

# What the network and the colors say, without the fusion network.
PRESET = replace(preset_named("fast"), fusion=False)


def picture(seed, size=(72, 96)):
    """Light discs on a dark ground, and where they are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    truth = np.zeros(size, np.int64)
    for _ in range(5):
        cy, cx = rng.integers(12, size[0] - 12), rng.integers(12, size[1] - 12)
        truth[(y - cy) ** 2 + (x - cx) ** 2 < 64] = 1
    rgb = np.where(truth[..., None] == 1, 190, 60) + rng.normal(0, 6, (*size, 3))
    return rgb.clip(0, 255).astype(np.uint8), truth


def strokes_on(truth, classes=(0, 1)):
    index = np.full_like(truth, 2)
    for k in classes:
        rows, columns = np.nonzero(truth == k)
        index[rows[::40], columns[::40]] = k
    return index


def shown(seed, classes=(0, 1), size=(72, 96)):
    rgb, truth = picture(seed, size)
    return prepare_strokes(prepare_image(rgb), strokes_on(truth, classes), (0, 1), PRESET)


def share_right(fit, seed):
    rgb, truth = picture(seed)
    return (segment_shared(fit, prepare_image(rgb), PRESET).labels == truth).mean()


def test_an_image_without_strokes_gets_a_mask():
    fit = fit_shared([shown(0), shown(1)], PRESET)
    assert share_right(fit, 7) > 0.95


def test_classes_may_be_drawn_on_different_images_of_different_size():
    fit = fit_shared([shown(0, (0,)), shown(1, (1,), (80, 64))], PRESET)
    assert share_right(fit, 7) > 0.95
    assert fit.known.stroked.tolist() == [0, 1]


def test_own_strokes_are_kept():
    fit = fit_shared([shown(0), shown(1)], PRESET)
    rgb, truth = picture(3)
    index = np.full_like(truth, 2)
    index[5:9, 5:40] = 1  # against all that is known
    found = segment_shared(fit, prepare_image(rgb), PRESET, stroke_index=index)
    assert (found.labels[5:9, 5:40] == 1).all()
    assert found.provisional == ()


def test_strokes_elsewhere_reach_the_fusion_network():
    preset = preset_named("fast")
    image = prepare_image(picture(7)[0])
    none = prepare_strokes(image, np.full(image.size, 2), (0, 1), preset).strokes
    fit = fit_shared([shown(0), shown(1)], preset)
    blind = replace(fit, elsewhere=((torch.zeros(16, 0), torch.zeros(16, 0)),))
    seen = probabilities_of(fit, image, none, preset)
    assert seen.shape == (2, *image.half_size)
    torch.testing.assert_close(seen.sum(0), torch.ones(image.half_size))
    assert not torch.allclose(seen, probabilities_of(blind, image, none, preset))


@pytest.mark.parametrize("fusion", [True, False])
def test_same_seed_same_mask(fusion):
    preset = replace(preset_named("fast"), fusion=fusion)
    image = prepare_image(picture(7)[0])
    one, two = (
        segment_shared(fit_shared([shown(0)], preset, seed=3), image, preset, seed=3)
        for _ in range(2)
    )
    assert np.array_equal(one.probabilities, two.probabilities)
