"""What the preset `paper-literal` leaves out of `paper`, each by itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from saccade.interactive import segment
from saccade.interactive.prepared import prepare_image
from saccade.interactive.presets import preset_named
from saccade.interactive.refinement import upsample
from saccade.models.features import FEATURE_CHANNELS, raw_half_size_features
from saccade.models.scribble_net import ScoresAtPixels, ScribbleNet
from saccade.models.weights import load_bundle

LITERAL = preset_named("paper-literal")


@pytest.fixture
def scene():
    """A bright disc, strokes inside and around; one pixel of a stroke is on the wrong side."""
    y, x = np.mgrid[:64, :80]
    disc = np.hypot(y - 32, x - 40) < 20
    noise = np.random.default_rng(0).normal(0, 5, disc.shape)
    gray = np.clip(60 + 130 * disc + noise, 0, 255)
    image = np.stack([gray, gray, 255 - gray], 2).astype(np.uint8)
    strokes = np.full(disc.shape, 255, np.uint8)
    strokes[31:33, 32:48] = 1
    strokes[3:5, 4:76] = 0
    strokes[60, 40] = 1
    return image, strokes


def test_pixels_of_strokes_are_what_the_network_says(scene):
    image, strokes = scene
    preset = replace(LITERAL, draws=2, fit=replace(LITERAL.fit, superpixels=False))
    found = segment(image, strokes, preset=preset)
    kept = segment(image, strokes, preset=replace(preset, keep_strokes=True))
    drawn = strokes != 255
    assert (kept.labels[drawn] == strokes[drawn]).all()
    assert kept.uncertainty[drawn].max() == 0
    assert found.uncertainty[drawn].min() > 0
    np.testing.assert_array_equal(kept.labels[~drawn], found.labels[~drawn])
    assert found.labels[60, 40] == 0  # one pixel of 200 does not bend the network


def test_probabilities_are_enlarged_bilinearly(scene):
    image, _ = scene
    maps = torch.rand(3, 32, 40).softmax(0)
    found, _ = upsample(maps, maps[:1], image, radius=0)
    expected = F.interpolate(maps[None], (64, 80), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(torch.from_numpy(found), expected)
    guided, _ = upsample(maps, maps[:1], image, radius=1)
    assert np.abs(guided - found).max() > 0.01


def test_features_are_not_standardized(scene):
    image, _ = scene
    raw, usual = prepare_image(image, standardize=False), prepare_image(image)
    signed = torch.tensor(image)[None].movedim(3, 1).float() / 127.5 - 1
    with torch.no_grad():
        expected = raw_half_size_features(load_bundle(members=1).head, signed)
    torch.testing.assert_close(raw.features, expected)
    torch.testing.assert_close(usual.features.mean((2, 3)), torch.zeros(1, FEATURE_CHANNELS))
    torch.testing.assert_close(raw.standardized_lab, usual.standardized_lab)


def test_statistics_may_be_of_the_whole_map():
    net = ScribbleNet(4, 2, norm="batch", generator=torch.Generator().manual_seed(0))
    features, pixels = torch.rand(1, 4, 48, 64), torch.tensor([[3, 4], [30, 20]])
    counts = []
    for sample in (1024, features[0, 0].numel()):
        scores = ScoresAtPixels(
            net, features, pixels, sample=sample, generator=torch.Generator().manual_seed(0)
        )
        counts.append(len(scores.points.centres))
    assert counts == [1024 + 18, 48 * 64]


def test_the_fit_uses_the_statistics_of_its_settings(monkeypatch, scene):
    asked = []
    start = ScoresAtPixels.__init__

    def noted(self, *args, sample, **others):
        asked.append(sample)
        start(self, *args, sample=sample, **others)

    monkeypatch.setattr(ScoresAtPixels, "__init__", noted)
    for name in ("paper", "paper-literal"):
        preset = preset_named(name)
        segment(*scene, preset=replace(preset, draws=1, fit=replace(preset.fit, steps=1)))
    assert asked == [1024, 32 * 40]
