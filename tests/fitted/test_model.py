"""Strokes on a few images of a kind, masks of all of them."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import saccade
from saccade.errors import InputError
from saccade.interactive.presets import preset_named
from tests.interactive.test_shared import picture, strokes_on

# What the network and the colors say, without the fusion network.
PRESET = replace(preset_named("fast"), fusion=False)


def strokes(truth, classes=(0, 1)):
    index = strokes_on(truth, classes)
    return np.where(index == 2, 255, index).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures():
    return [picture(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def model(pictures):
    images = [rgb for rgb, _ in pictures]
    drawn = [strokes(truth) for _, truth in pictures[:2]] + [None, None]
    return saccade.fit(images, drawn, preset=PRESET)


def right(found, truth):
    return (found.labels == truth).mean()


def test_images_without_strokes_get_masks(model, pictures):
    assert model.classes == (0, 1)
    for rgb, truth in pictures[2:]:
        assert right(model.predict(rgb), truth) > 0.95


def test_paths_do_as_well_as_arrays(model, pictures, tmp_path):
    for number, (rgb, truth) in enumerate(pictures):
        Image.fromarray(rgb).save(tmp_path / f"{number}.png")
        Image.fromarray(strokes(truth)).save(tmp_path / f"strokes-{number}.png")
    images = [tmp_path / f"{number}.png" for number in range(4)]
    drawn = [tmp_path / "strokes-0.png", str(tmp_path / "strokes-1.png"), None, None]
    by_path = saccade.fit(images, drawn, preset=PRESET)
    one, other = (m.predict(pictures[3][0]).labels for m in (model, by_path))
    assert np.array_equal(one, other)
    assert [s.name for s in by_path.suggest_images(5)] != []
    assert {s.name for s in by_path.suggest_images(5)} == {"2.png", "3.png"}


def test_a_stack_is_a_list_of_its_slices(pictures):
    stack = np.stack([rgb for rgb, _ in pictures])
    found = saccade.fit(stack, [strokes(pictures[0][1]), None, None, None], preset=PRESET)
    assert right(found.predict(stack[2]), pictures[2][1]) > 0.95


def test_own_strokes_count_and_leave_the_model_as_it_is(model, pictures):
    rgb, truth = pictures[3]
    before = model.predict(rgb).labels
    more = np.full_like(truth, 255)
    more[3:6, 3:40] = 1  # against all that is known
    found = model.predict(rgb, strokes=more)
    assert (found.labels[3:6, 3:40] == 1).all()
    assert np.array_equal(model.predict(rgb).labels, before)


def test_update_is_a_fit_to_all_strokes(pictures):
    images = [rgb for rgb, _ in pictures]
    drawn = [strokes(truth) for _, truth in pictures]
    at_once = saccade.fit(images[:3], drawn[:3], preset=PRESET)
    in_turn = saccade.fit(images[:2], drawn[:2], preset=PRESET).update(images[2:3], drawn[2:3])
    one, other = (m.predict(images[3]).probabilities for m in (at_once, in_turn))
    assert np.array_equal(one, other)


def test_strokes_can_be_taken_away_again(pictures):
    images = [rgb for rgb, _ in pictures]
    drawn = [strokes(truth) for _, truth in pictures]
    model = saccade.fit(images[:2], drawn[:2], preset=PRESET).update(images[1:2], [None])
    alone = saccade.fit(images[:1], drawn[:1], preset=PRESET)
    assert [one.name for one in model.stroked] == ["image 1"]
    assert np.array_equal(model.predict(images[3]).labels, alone.predict(images[3]).labels)
    with pytest.raises(InputError, match="no image has strokes"):
        model.update(images[:1], [None])
    assert [one.name for one in model.stroked] == ["image 1"]


def test_an_image_with_strokes_keeps_them_where_it_is_predicted(model, pictures):
    rgb, truth = pictures[0]
    drawn = strokes(truth)
    assert (model.predict(rgb).labels == drawn)[drawn != 255].all()


def test_the_last_of_one_class_may_stay_alone(pictures):
    images = [rgb for rgb, _ in pictures[:2]]
    drawn = [strokes(pictures[0][1], (0,)), strokes(pictures[1][1], (1,))]
    model = saccade.fit(images, drawn, preset=PRESET)
    assert not model.provisional
    model.update(images[1:], [None])
    assert model.provisional
    assert model.classes == (0, 1)
    assert "only class 0 has strokes" in model.remarks[-1]


def test_images_without_strokes_are_not_read_before_they_are_needed(pictures, tmp_path):
    for number in range(3):
        Image.fromarray(pictures[number][0]).save(tmp_path / f"{number}.png")
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    (tmp_path / "2.png").write_bytes(b"no picture")
    model = saccade.fit(paths, [strokes(pictures[0][1]), None, None], preset=PRESET)
    with pytest.raises(InputError, match=r"2\.png"):
        model.suggest_images(3)


def test_ranking_shows_progress_and_can_be_stopped(model, pictures):
    told = []
    model.suggest_images(3, progress=lambda share, name: told.append((share, name)))
    assert told == [(0.0, "image 3"), (0.5, "image 4")]
    assert model.suggest_images(3, cancel=lambda: True) == []


def test_a_new_class_joins_the_others(pictures):
    images = [rgb for rgb, _ in pictures]
    drawn = [strokes(truth) for _, truth in pictures]
    model = saccade.fit(images[:2], drawn[:2], preset=PRESET)
    third = drawn[2].copy()
    third[0:2, 0:20] = 7
    assert model.update(images[2:3], [third]).classes == (0, 1, 7)
    assert model.predict(images[3]).probabilities.shape[0] == 3


def test_one_class_alone_has_a_provisional_ground(pictures):
    rgb, truth = pictures[0]
    model = saccade.fit([rgb], [strokes(truth, (1,))], preset=PRESET)
    assert model.classes == (0, 1)
    assert any("provisional" in line for line in model.remarks)


def test_what_is_least_sure_comes_first(model):
    scores = [one.score for one in model.suggest_images(5)]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert len(model.suggest_images(1)) == 1


def test_places_are_suggested_where_nobody_drew(model, pictures):
    rgb, truth = pictures[0]
    drawn = strokes(truth) != 255
    for found in model.suggest(rgb, 3):
        assert not drawn[found.row, found.column]


def test_strokes_of_other_images_are_predicted(model):
    held_out = model.held_out()
    assert held_out.images == 2
    assert held_out.mean > 0.9


def test_a_cancelled_update_changes_nothing(pictures):
    images = [rgb for rgb, _ in pictures]
    drawn = [strokes(truth) for _, truth in pictures]
    model = saccade.fit(images[:1], drawn[:1], preset=PRESET)
    before = model.predict(images[3]).probabilities
    model.update(images[1:2], drawn[1:2], cancel=lambda: True)
    assert np.array_equal(model.predict(images[3]).probabilities, before)
    assert len(model.stroked) == 1


GOOD = np.zeros((40, 50, 3), np.uint8)
LINES = np.full((40, 50), 255, np.uint8)
LINES[3, 3:20], LINES[30, 3:20] = 0, 1


@pytest.mark.parametrize(
    ("images", "drawn", "options", "message"),
    [
        ([GOOD], [], {}, "1 images and 0 strokes, must be as many"),
        ([], [], {}, "images: there are none"),
        ("a.png", [LINES], {}, "images: is str, must be a list"),
        (GOOD[..., 0], [LINES], {}, "images: one array of shape"),
        ([GOOD], [None], {}, "no image has strokes"),
        ([GOOD], [LINES[:20]], {}, "strokes of image 1: strokes are 20x50"),
        ([GOOD, GOOD], [LINES, LINES], {}, "image 2: is the same image as image 1"),
        ([GOOD, "none.png"], [LINES, None], {}, "none.png: no such file"),
        ([np.zeros((2, 2, 9))], [LINES], {}, "image 1: "),
        (["missing.png"], [LINES], {}, "missing.png: no such file"),
        ([GOOD], [LINES], {"classes": [0, 2]}, "label 1, which is not one of the classes 0, 2"),
        ([GOOD], [LINES], {"preset": "paper"}, "use 'fast' or 'best'"),
        ([GOOD], [LINES], {"preset": "slow"}, "preset 'slow' is unknown"),
    ],
)
def test_bad_input_is_one_clear_line(images, drawn, options, message):
    with pytest.raises(InputError, match="(?s)" + message.replace("(", r"\(")) as raised:
        saccade.fit(images, drawn, **options)
    assert "\n" not in str(raised.value)


def test_strokes_of_an_unknown_class_are_refused_where_one_predicts(model, pictures):
    rgb, truth = pictures[3]
    lines = strokes(truth)
    lines[lines == 1] = 5
    with pytest.raises(InputError, match=r"hold label 5, the model's classes are 0, 1; update"):
        model.predict(rgb, strokes=lines)
