import numpy as np
import pytest
import torch
from torch.nn import functional as F

from saccade.interactive.prepared import brightness, prepare_image
from saccade.interactive.presets import PottsSettings
from saccade.interactive.refinement import (
    apply_temperature,
    blend,
    refine_half,
    refine_working,
    upsample,
)
from saccade.refine.guided import guided_strips
from saccade.refine.potts import edge_weights, potts

CPU = torch.device("cpu")


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_refining_keeps_strokes_and_repairs_what_noise_did(prepared, picture):
    truth = torch.from_numpy(picture.truth).long()
    noise = torch.rand(truth.shape, generator=_generator()) < 0.2
    noisy = torch.where(noise, 1 - truth, truth)
    mean = F.one_hot(noisy, 2).movedim(2, 0) * 0.6 + 0.2
    strokes = torch.full_like(truth, 2)
    strokes[2, 2], strokes[22, 36] = 1, 0  # strokes against all else
    found = refine_half(
        mean, strokes, prepared.standardized_lab, PottsSettings(strength=3.0)
    ).argmax(0)
    assert found[2, 2] == 1
    assert found[22, 36] == 0
    assert (found != truth).float().mean() < 0.02


def test_a_border_costs_less_the_more_classes_there_are(prepared):
    strokes = torch.full(prepared.half_size, 4)
    mean = torch.rand((4, *prepared.half_size), generator=_generator()).softmax(0)
    lab = prepared.standardized_lab
    settings = PottsSettings(strength=3.0, iterations=20)
    found = refine_half(mean, strokes, lab, settings)
    expected = potts(-mean.log(), edge_weights(lab, 1.0), strength=1.5, iterations=20)
    expected = blend(expected, mean)
    torch.testing.assert_close(found, expected)
    # However many more have a name.
    named = torch.cat([mean, torch.zeros(20, *prepared.half_size)])
    more = refine_half(named, strokes + 20, lab, settings)
    torch.testing.assert_close(more[:4], expected)
    assert more[4:].eq(0).all()


def test_refining_at_the_working_size_follows_edges_that_half_size_cannot_show():
    truth = torch.zeros(80, 96, dtype=torch.long)
    truth[:, 41:] = 1  # odd: the border lies within a half-size pixel
    rgb = np.where(truth.numpy()[..., None], [60, 90, 220], [150, 100, 50]).astype(np.uint8)
    prepared = prepare_image(rgb, device=CPU)
    assert prepared.working_size == (80, 96)
    half = torch.full((2, *prepared.half_size), 0.3)
    half[0, :, :21], half[1, :, 21:] = 0.7, 0.7
    strokes = torch.full(prepared.working_size, 2)
    strokes[10, 70] = 0  # against all else
    settings = PottsSettings(fine_iterations=60)
    found = refine_working(
        half,
        strokes,
        prepared.half_gray,
        prepared.working_gray,
        prepared.working_edges(1.0),
        settings,
    )
    assert found.shape == (2, 80, 96)
    torch.testing.assert_close(found.sum(0), torch.ones(80, 96), atol=1e-4, rtol=0)
    assert found[:, 10, 70].argmax() == 0
    wrong = found.argmax(0) != truth
    wrong[8:13, 68:73] = False
    assert not wrong.any()
    probabilities, _ = upsample(found, torch.zeros(1, *prepared.half_size), rgb)
    np.testing.assert_allclose(probabilities, found.numpy(), atol=1e-4)  # nothing to enlarge


@pytest.mark.parametrize("size", [(1, 2), (5, 3), (48, 66), (90, 301)])
def test_upsampled_probabilities_are_distributions_and_uncertainty_is_in_range(size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    prepared = prepare_image(rgb, features="bundled", max_pixels=3000, seed=0, device=CPU)
    mean = torch.softmax(3 * torch.randn(4, *prepared.half_size, generator=_generator()), 0)
    unsure = torch.rand(1, *prepared.half_size, generator=_generator(1))
    probabilities, uncertainty = upsample(mean, unsure, rgb)
    assert probabilities.shape == (4, *size)
    assert uncertainty.shape == size
    assert probabilities.dtype == uncertainty.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(0), 1, atol=1e-5)
    assert probabilities.min() >= 0
    assert uncertainty.min() >= 0
    assert uncertainty.max() <= 1


def test_brightness_is_luma():
    rgb = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert brightness(rgb).tolist() == [[76, 150, 29, 255]]


@pytest.mark.parametrize("radius", [1, 4])
def test_upsampling_follows_windows_of_the_radius(prepared, radius):
    rgb = np.kron(prepared.rgb, np.ones((3, 3, 1), np.uint8))
    second = torch.rand(prepared.half_size, generator=_generator())
    mean = torch.stack([1 - second, second])
    found, _ = upsample(mean, torch.zeros(1, *prepared.half_size), rgb, radius=radius)
    full = brightness(rgb)
    guide = F.interpolate(full[None, None].float() / 255, prepared.half_size, mode="area")[0]
    strips = guided_strips(mean[1:], guide, full, radius=radius)
    expected = torch.cat([strip for _, strip in strips], 1)[0]
    np.testing.assert_allclose(found[1], expected.numpy(), atol=1e-6)


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_a_temperature_changes_how_sure_and_no_winner(classes):
    p = torch.rand(classes, 6, 7, generator=torch.Generator().manual_seed(0))
    p[-1, 0] = 0  # a class that is not there
    p[0, 0] += 0.1
    p = p / p.sum(0)
    assert torch.equal(apply_temperature(p, 1.0), p)
    softer = apply_temperature(p, 2.0)
    torch.testing.assert_close(softer, p.sqrt() / p.sqrt().sum(0))
    torch.testing.assert_close(
        apply_temperature(p, 1.5), (p.double().log() / 1.5).softmax(0).float()
    )
    assert torch.equal(softer.argmax(0), p.argmax(0))
    assert (softer.amax(0) <= p.amax(0) + 1e-6).all()
