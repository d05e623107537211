"""Images of a kind for the fusion network: strokes on some, questions about another."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saccade.models.weights import load_bundle
from scripts.train_bundled.bundles import shared_cues_of
from scripts.train_bundled.elsewhere import SOURCES, Group, Groups, _drawn, _with_few_strokes
from scripts.train_bundled.episodes import Photographs
from scripts.train_bundled.fields import fields
from scripts.train_bundled.fusion_stage import Example, FusionStage
from scripts.train_bundled.instances import like_episodes

SIZE = (96, 128)
ROOT = Path(os.environ.get("SACCADE_DATA", "../shared/data"))
needs_data = pytest.mark.skipif(not (ROOT / "fields").is_dir(), reason=f"no data at {ROOT}")


def window(seed, classes=3):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes, dtype=np.uint8), 120 // classes)
    labels = np.broadcast_to(labels, (80, len(labels))).copy()
    image = rng.integers(0, 60, (*labels.shape, 3), dtype=np.uint8)
    return image + (labels * 60)[..., None], labels


def test_classes_are_those_that_the_others_show():
    windows = [window(0), window(1), window(2)]
    for _, labels in windows[1:]:
        labels[labels == 1] = 255  # nobody can draw there
    group = _drawn(np.random.default_rng(0), windows)
    assert group.classes == 2
    assert set(np.unique(group.asked[1])) == {0, 1, 255}
    assert (group.asked[1] == 255).mean() == pytest.approx(1 / 3, abs=0.02)


def test_most_that_are_asked_about_have_no_stroke():
    group = _drawn(np.random.default_rng(0), [window(0), window(1)])
    rng = np.random.default_rng(1)
    drawn = [_with_few_strokes(rng, group).asked[2] for _ in range(200)]
    bare = np.mean([(strokes == 255).all() for strokes in drawn])
    assert 0.5 < bare < 0.85
    assert group.asked[2].min() < 255  # the original keeps its own


def test_like_things_are_of_the_same_textures(tmp_path):
    rng = np.random.default_rng(0)
    for number, color in enumerate(((200, 30, 30), (30, 30, 200))):
        pixels = np.clip(np.array(color) + rng.normal(0, 8, (200, 240, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{number}.png")
    for seed in range(20):
        found = like_episodes(np.random.default_rng(seed), sorted(tmp_path.iterdir()), SIZE, 3)
        means = np.array([image[truth == 1].mean(0) for image, truth, _ in found])
        if len(found) > 1:
            assert len(set(means.argmax(1))) == 1  # red things stay red, whatever the light


@needs_data
@pytest.mark.parametrize("source", SOURCES)
def test_cues_come_from_the_strokes_of_the_others(source, monkeypatch):
    seen = [one for one in fields(ROOT) if not one.stroked]
    groups, bundle = (
        Groups(Photographs(ROOT, ["elsewhere"]), seen, {source: 1.0}),
        load_bundle(members=1),
    )
    rng = np.random.default_rng(3)
    group = next(g for g in (groups.draw(rng, SIZE) for _ in range(60)) if g is not None)
    assert isinstance(group, Group)
    assert group.one_image == (source == "tiles")
    cues, stroked, image, shown = shared_cues_of(bundle, group, torch.Generator().manual_seed(0))
    assert cues.shape[0] == len(stroked) == group.classes
    assert len(shown) == len(group.shown)
    assert cues.isfinite().all()
    truth = torch.from_numpy(group.asked[1][::2, ::2].copy())
    example = Example(cues.half(), image.inputs[0].half(), stroked, truth, shown)
    stage = FusionStage()
    loss = stage.loss([example, example.flip([-1])], binary=group.classes == 2)
    loss.backward()
    # What the network learns of similarity it learns through the strokes of the others.
    assert stage.encoder.embed.weight.grad.abs().max() > 0
