"""Views, sessions and fields: what the object and the fusion network are shown."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from saccade.errors import InputError
from saccade.scribbles.clicks import draw_disc
from scripts.train_bundled import fields as fields_module
from scripts.train_bundled import things as things_module
from scripts.train_bundled.episodes import Photographs
from scripts.train_bundled.fields import field_episode, fields
from scripts.train_bundled.object_views import ViewSource
from scripts.train_bundled.sessions import begin, correct, deep_place, line
from scripts.train_bundled.things import draw_view, things

SIZES = ((288, 288), (256, 320), (320, 256), (224, 352))


@pytest.mark.parametrize("size", SIZES)
def test_views_show_the_object_where_its_mask_is(with_things: Path, size) -> None:
    photos = things(with_things)
    for number in range(12):
        rng = np.random.default_rng(number)
        image, mask = draw_view(rng, photos, size, 0)
        assert image.shape == (*size, 3)
        assert mask.shape == size
        assert 0.003 < mask.mean() < 0.9
        # The box is red, what is around it green or blue: also with less color and other light.
        red = image[..., 0].astype(float) - image[..., 1:].max(2)
        inside = ndimage.binary_erosion(mask, iterations=4)
        outside = ndimage.binary_erosion(~mask, iterations=4)
        assert red[inside].mean() >= red[outside].mean() - 2


def test_another_object_is_pasted_in_and_one_of_the_two_is_meant(
    with_things: Path, monkeypatch
) -> None:
    monkeypatch.setattr(things_module, "PASTED", 1.0)
    photos = things(with_things)
    parts = []
    for number in range(12):
        _, mask = draw_view(np.random.default_rng(number), photos, (288, 288), 0)
        parts.append(mask.mean())
    assert len({round(float(part), 3) for part in parts}) > 6


def test_photographs_without_an_object_have_no_view(with_things: Path) -> None:
    for path in (with_things / "objects/masks").iterdir():
        Image.new("L", (330, 240)).save(path)
    with pytest.raises(InputError, match="had no view"):
        draw_view(np.random.default_rng(0), things(with_things), (288, 288), 0)


def _soft() -> np.ndarray:
    soft = np.zeros((60, 80), np.float32)
    soft[20:45, 25:60] = 1
    soft[19, 25:60] = 0.5
    return soft


@pytest.mark.parametrize("seed", range(30))
def test_strokes_of_a_session_are_on_the_side_that_they_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    session = begin(rng, _soft())
    assert (session.own | session.other).any()
    for turn in range(4):
        mask = np.full((60, 80), 0.1, np.float32)
        mask[:, turn * 20 :] = 0.9
        correct(rng, session, mask)
        assert not (session.own & ~session.target).any()
        assert not (session.other & session.target).any()


def test_corrections_lie_where_the_mask_is_wrong() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        session = begin(rng, _soft())
        before = session.own.copy(), session.other.copy()
        mask = session.soft.copy()
        mask[25:40, 30:45] = 0  # a hole
        correct(rng, session, mask)
        new = (session.own & ~before[0]) | (session.other & ~before[1])
        left = (mask > 0.5) != session.target
        assert not new.any() or (new & left & ~before[0] & ~before[1]).any()


def test_a_mask_that_is_right_is_not_corrected() -> None:
    rng = np.random.default_rng(0)
    session = begin(rng, _soft())
    before = session.own.sum() + session.other.sum()
    correct(rng, session, session.soft)
    assert session.own.sum() + session.other.sum() == before


def test_the_deepest_place_is_farthest_from_the_border() -> None:
    region = np.zeros((40, 50), bool)
    region[0:21, 10:41] = True
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    place = deep_place(np.random.default_rng(0), region, deepest=True)
    assert depth[place] == depth.max()
    for seed in range(10):
        place = deep_place(np.random.default_rng(seed), region, deepest=False)
        assert depth[place] > 0.4 * depth.max()


def test_lines_stay_in_their_region() -> None:
    region = np.zeros((40, 50), bool)
    region[10:30, 5:45] = True
    for seed in range(20):
        drawn = line(np.random.default_rng(seed), region, 20, 25)
        assert drawn[20, 25]
        assert not (drawn & ~region).any()


@pytest.fixture
def field_root(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(fields_module, "FIELDS", ("nuclei-fluo",))
    rng = np.random.default_rng(0)
    for name in ("images", "masks"):
        (tmp_path / "fields/nuclei-fluo" / name).mkdir(parents=True)
    for number in range(10):
        mask = np.zeros((300, 400), np.uint8)
        for y in range(30, 280, 60):
            for x in range(30, 380, 60):
                mask |= draw_disc((300, 400), (y, x), 15)
        image = (40 + 150 * mask + rng.integers(0, 20, mask.shape)).astype(np.uint8)
        Image.fromarray(image).convert("RGB").save(
            tmp_path / f"fields/nuclei-fluo/images/{number}.png"
        )
        Image.fromarray(mask).save(tmp_path / f"fields/nuclei-fluo/masks/{number}.png")
    return tmp_path


def test_fields_leave_images_for_scores(field_root: Path) -> None:
    assert [field.image.stem for field in fields(field_root)] == ["6", "8"]


def test_strokes_on_a_few_mean_all(field_root: Path) -> None:
    shown = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        episode = field_episode(rng, fields(field_root)[0], (224, 320))
        if episode is None:
            continue
        shown += 1
        image, truth, strokes = episode
        assert image.shape == (224, 320, 3)
        drawn = strokes != 255
        assert (strokes[drawn] == truth[drawn]).all()
        assert {0, 1} <= set(np.unique(strokes[drawn]))
        parts, count = ndimage.label(truth)
        assert len(set(parts[strokes == 1])) < count
    assert shown > 5


@pytest.mark.parametrize("kind", ["things", "parts", "classes"])
def test_views_of_every_kind_show_what_is_meant(with_things: Path, kind: str) -> None:
    source = ViewSource(with_things, {kind: 1.0}, batch=2)
    sizes = set()
    for number in range(6):
        views = source.draw(np.random.default_rng(number), torch.Generator())
        assert views.images.dtype == torch.uint8
        height, width = views.images.shape[2:]
        sizes.add((height, width))
        assert views.soft.shape == (2, height // 2, width // 2)
        for soft in views.soft:
            assert 0.003 < soft.mean() < 0.95
            assert ((soft == 0) | (soft == 1)).float().mean() > 0.8
    assert len(sizes) > 1


def test_photographs_on_which_clicks_are_counted_are_not_shown(root: Path) -> None:
    for folder in ("images", "segments"):
        path = root / f"bsds/train/{folder}/a.png"
        path.rename(path.with_stem("41004"))
    assert [path.stem for path, _ in Photographs(root, ["binary"]).bsds] == ["b"]
