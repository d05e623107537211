from dataclasses import replace

import numpy as np
import pytest
import torch

from saccade.experiments.engine.plotting import to_image_pixels
from saccade.experiments.gdc.figure11 import two_positions
from saccade.experiments.gdc.image_tables import GDC, preset_of
from saccade.experiments.gdc.record_features import (
    choose_pixels,
    prepare_fit,
    record_features,
)
from saccade.experiments.gdc.separation import movement
from saccade.interactive.fit_paper import fit_paper

STEPS = 6


def shortened(branch):
    preset = preset_of(branch)
    return replace(preset, fit=replace(preset.fit, steps=STEPS))


def test_places_in_the_image():
    places = np.array([[0, 0], [31, 39]])
    np.testing.assert_allclose(
        to_image_pixels(places, (32, 40), (64, 80)), [[0.5, 0.5], [62.5, 78.5]]
    )
    np.testing.assert_allclose(to_image_pixels(places, (32, 40), (32, 40)), places)


def test_prepared_truth_and_pixels(disc):
    prepared = prepare_fit(disc, preset_of(GDC), 0)
    assert prepared.truth.shape == prepared.labels.shape == (32, 40)
    np.testing.assert_array_equal(prepared.truth, disc.truth[1::2, 1::2])
    pixels = choose_pixels(prepared, 40, np.random.default_rng(0))
    assert len({tuple(p) for p in pixels.positions}) == len(pixels.positions) <= 80
    y, x = pixels.positions.T
    np.testing.assert_array_equal(pixels.truth, prepared.truth[y, x])
    np.testing.assert_array_equal(pixels.labelled, prepared.labels[y, x] < 2)
    object_place, background_place = two_positions(prepared)
    assert prepared.truth[tuple(object_place)] == 1
    assert prepared.truth[tuple(background_place)] == 0


@pytest.mark.slow
@pytest.mark.parametrize("branch", ["dilated 6", GDC])
def test_recording_ends_with_the_network_that_the_preset_fits(disc, branch, monkeypatch):
    import saccade.experiments.gdc.record_features as recording

    nets = []

    def kept(*args, **options):
        nets.append(fit_paper(*args, **options))
        return nets[-1]

    monkeypatch.setattr(recording, "fit_paper", kept)
    preset = shortened(branch)
    prepared = prepare_fit(disc, preset, 3)
    vectors = record_features(prepared, preset, np.array([[2, 3], [12, 16]]), 3)
    assert vectors.shape == (STEPS + 1, 2, 32)
    assert np.isfinite(vectors).all()
    alone = fit_paper(
        prepared.features,
        torch.from_numpy(prepared.labels),
        2,
        preset.fit,
        preset.network,
        generator=torch.Generator().manual_seed(3),
        step=lambda fraction: True,
    )
    for a, b in zip(alone.parameters(), nets[0].parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_gdc_moves_from_step_to_step_and_dilated_drifts(disc):
    prepared = prepare_fit(disc, preset_of(GDC), 0)
    places = choose_pixels(prepared, 40, np.random.default_rng(0)).positions
    moves = [
        movement(record_features(prepared, shortened(b), places, 0)) for b in ("dilated 6", GDC)
    ]
    assert moves[0].jump < 0.3 * moves[1].jump
