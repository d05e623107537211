import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.experiments.engine.load_samples import LoadedSample
from saccade.experiments.engine.plotting import to_image_pixels
from saccade.experiments.engine.samples import shared_samples
from saccade.experiments.gdc import figure11
from saccade.experiments.gdc.figure10 import (
    DILATION,
    DRAWS,
    draw_figure10,
    map_size,
    sample_positions,
)
from saccade.experiments.gdc.figure11 import run_figure11, two_positions
from saccade.experiments.gdc.image_tables import GDC, preset_of
from saccade.experiments.gdc.record_features import (
    choose_pixels,
    prepare_fit,
    record_features,
)
from saccade.experiments.gdc.separation import embed, knn_purity, movement
from saccade.interactive.fit_paper import fit_paper

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")


STEPS = 6


def shortened(branch):
    preset = preset_of(branch)
    return replace(preset, fit=replace(preset.fit, steps=STEPS))


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


def test_the_dilated_kernel_is_a_grid():
    places, stopped = sample_positions((20, 30), (50, 60), None, generator=torch.Generator())
    assert places.shape == (1, 8, 2)
    assert not stopped.any()
    assert {tuple(p) for p in places[0] - [20, 30]} == {
        (dy, dx)
        for dy in (-DILATION, 0, DILATION)
        for dx in (-DILATION, 0, DILATION)
        if (dy, dx) != (0, 0)
    }


def test_draws_have_the_half_gaussians_mean_and_stay_inside():
    size = (400, 500)
    places, stopped = sample_positions(
        (200, 250), size, 0.1, generator=torch.Generator().manual_seed(0)
    )
    assert places.shape == (DRAWS, 8, 2)
    steps = np.abs(places - [200, 250])
    assert steps[:, 0].mean() == pytest.approx(40 * np.sqrt(2 / np.pi), rel=0.15)
    assert (steps[:, 1, 1] == 0).all()  # the tap above stays above
    places, stopped = sample_positions(
        (0, 0), size, 0.1, generator=torch.Generator().manual_seed(0)
    )
    assert places.min() == 0
    assert stopped[:, 0].mean() > 0.9


def test_figure10_reaches_farther_with_a_larger_sigma(disc, tmp_path):
    picture, numbers = draw_figure10(disc.image, tmp_path, seed=1)
    with Image.open(picture) as file:
        assert file.width > 1000
    kernels = json.loads(numbers.read_text())["kernels"]
    reaches = [kernel["median"] for kernel in kernels]
    assert reaches[0] == pytest.approx(2 * DILATION * (1 + np.sqrt(2)) / 2)  # 4 edges, 4 corners
    assert reaches[1] < reaches[2] < reaches[3]


def test_maps_are_half_of_the_working_size():
    assert map_size((375, 501)) == (188, 251)
    assert map_size((48, 64)) == (48, 64)  # tiny images are doubled
    height, width = map_size((4000, 6000))
    assert 4 * height * width == pytest.approx(640_000, rel=0.01)


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


def test_movement_equals_one_by_hand():
    still = np.array([[[0.0], [2.0]]] * 4)
    assert movement(still).spread == movement(still).jump == 0
    swinging = still + np.array([1.0, -1.0, 1.0, -1.0])[:, None, None]
    found = movement(swinging)  # pixels lie 1 from their common mean, and swing by 1
    assert found.spread == pytest.approx(1)
    assert found.jump == pytest.approx(np.sqrt(2))
    rng = np.random.default_rng(0)
    drawn = movement(rng.normal(size=(400, 50, 3)) + 9 * rng.normal(size=(1, 50, 3)))
    assert drawn.jump == pytest.approx(drawn.spread, rel=0.05)


def test_purity_is_the_share_of_neighbors_of_the_same_class():
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1], 30)
    apart = rng.normal(size=(60, 4)) + 50 * classes[:, None]
    assert knn_purity(apart, classes) == 1
    assert knn_purity(rng.normal(size=(60, 4)), classes) == pytest.approx(0.5, abs=0.15)
    assert knn_purity(apart[:2], np.array([0, 1])) == 0  # the only other is of the other class


def test_embedding_keeps_groups_apart_and_takes_few_vectors():
    apart = np.repeat([0.0, 90.0], 6)[:, None] + np.random.default_rng(0).normal(size=(12, 3))
    places = embed(apart.astype(np.float32), 0)
    assert places.shape == (12, 2)
    assert knn_purity(places.astype(np.float32), np.repeat([0, 1], 6), k=3) == 1


@pytest.mark.slow
def test_figure11_measures_all_images_and_draws_the_first(root, tmp_path, monkeypatch):
    monkeypatch.setattr(figure11, "embed", lambda vectors, seed: vectors[:, :2])
    heard = []
    samples = shared_samples(root, ("thin",)).samples[:2]
    report = run_figure11(samples, tmp_path, seed=0, progress=lambda *a: heard.append(a))
    text, paths = report.text, report.files
    assert [path.name for path in paths] == ["gdc-figure11.png", "gdc-figure11.json"]
    assert text.startswith("2 images")
    assert "| spread" in text
    images = json.loads(paths[1].read_text())["images"]
    assert [(i["image"], i["branch"]) for i in images] == [
        (stem, branch) for stem in "ab" for branch in ("dilated 6", GDC)
    ]
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1][0] == 2
