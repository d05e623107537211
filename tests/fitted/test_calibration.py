"""Probabilities of images without strokes are softened as far as cross-validation says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.torch import save_file

import saccade
from saccade.errors import InputError
from saccade.fitted.scores import temperature_of
from tests.fitted.test_model import PRESET, strokes
from tests.interactive.test_shared import picture


@pytest.fixture
def model():
    shown = [picture(seed) for seed in range(3)]
    drawn = [strokes(truth) for _, truth in shown]
    drawn[2] = np.where(drawn[2] == 255, 255, 1 - drawn[2]).astype(np.uint8)  # all wrong
    return saccade.fit([rgb for rgb, _ in shown], drawn, preset=PRESET)


def answers(probabilities, truth):
    p = np.asarray(probabilities)
    return np.stack([p, 1 - p]), np.asarray(truth)


@pytest.mark.parametrize("wanted", [1.25, 1.5, 1.8])
def test_the_temperature_is_that_by_which_probabilities_were_made_too_sure(wanted):
    rng = np.random.default_rng(0)
    honest = rng.uniform(0.2, 0.8, 20_000)
    truth = (rng.uniform(size=20_000) > honest).astype(int)
    sure = 1 / (1 + ((1 - honest) / honest) ** wanted)
    assert temperature_of([answers(sure, truth)]) == pytest.approx(wanted, rel=0.05)


def test_what_is_always_right_is_not_made_surer():
    assert temperature_of([answers([0.7, 0.6, 0.8], [0, 0, 0])]) == 1.0


def test_an_image_counts_as_much_as_another_however_much_was_drawn():
    wrong, right = answers([0.9, 0.8], [1, 0]), answers([0.9, 0.7], [0, 0])
    many = tuple(np.tile(one, 50) for one in right)
    assert temperature_of([wrong, right]) == pytest.approx(temperature_of([wrong, many]), rel=1e-3)


def test_one_surely_wrong_stroke_is_no_more_than_wrong():
    some = [0.9] * 30
    found = [temperature_of([answers([*some, p], [0] * 30 + [1])]) for p in (0.999, 1.0)]
    assert found[0] == pytest.approx(found[1])


def test_cross_validation_softens_and_changes_no_mask(model):
    rgb, truth = picture(7)
    before = model.predict(rgb)
    assert model.temperature == 1
    assert model.held_out().temperature == model.temperature > 1
    after = model.predict(rgb)
    assert np.array_equal(before.labels, after.labels)
    assert after.probabilities.max(0).mean() < before.probabilities.max(0).mean()
    assert after.probabilities.sum(0) == pytest.approx(np.ones(truth.shape), abs=1e-5)
    assert np.array_equal(before.uncertainty, after.uncertainty)


def test_an_image_with_strokes_is_as_it_was(model):
    rgb, truth = picture(7)
    before = model.predict(rgb, strokes=strokes(truth)).probabilities
    model.held_out()
    assert np.array_equal(model.predict(rgb, strokes=strokes(truth)).probabilities, before)


def test_it_is_in_the_file(model, tmp_path):
    model.save(tmp_path / "cells.saccade")
    again = saccade.load(tmp_path / "cells.saccade")
    assert again.temperature == model.temperature > 1


@pytest.mark.parametrize("value", [0, -1.5, "warm", None, 1e999])
def test_a_damaged_temperature_is_refused(model, tmp_path, value):
    path = tmp_path / "cells.saccade"
    model.save(path)
    with safe_open(path, "pt") as found:
        tensors = {name: found.get_tensor(name) for name in found.keys()}  # noqa: SIM118
        header = json.loads(found.metadata()["saccade_model"])
    header["held_out"]["temperature"] = value
    save_file(tensors, path, {"saccade_model": json.dumps(header)})
    with pytest.raises(InputError, match="header is damaged"):
        saccade.load(path)


def test_strokes_on_one_image_say_nothing():
    rgb, truth = picture(0)
    model = saccade.fit([rgb], [strokes(truth)], preset=replace(PRESET, draws=1))
    assert model.held_out().temperature == 1
