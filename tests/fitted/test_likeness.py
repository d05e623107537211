"""What a model says of images that look like nothing it was fitted to."""

import numpy as np
import pytest
from typer.testing import CliRunner

import saccade
from saccade.cli.app import app
from saccade.interactive.likeness import UNLIKE
from tests.fitted.test_model import PRESET, strokes
from tests.interactive.test_likeness import stripes
from tests.interactive.test_shared import picture


@pytest.fixture(scope="module")
def model():
    shown = [picture(seed) for seed in range(3)]
    return saccade.fit(
        [rgb for rgb, _ in shown], [strokes(truth) for _, truth in shown], preset=PRESET
    )


def test_an_image_of_another_kind_is_flagged(model):
    assert not model.predict(picture(7)[0]).unlike
    found = model.predict(stripes(0))
    assert found.unlike
    assert found.remarks[-1].startswith(UNLIKE)


def test_strokes_on_it_are_taken_as_they_are(model):
    lines = np.full((72, 96), 255, np.uint8)
    lines[4:6, 10:60], lines[40:42, 10:60] = 0, 1
    found = model.predict(stripes(0), strokes=lines)
    assert not found.unlike
    assert found.remarks == ()
    assert not model.predict(picture(0)[0]).unlike  # it was fitted to


def test_suggestions_say_it(model):
    found = model.suggest_images(5, [picture(7)[0], stripes(0)])
    assert {one.number: one.unlike for one in found} == {0: False, 1: True}


def test_it_is_in_the_file(model, tmp_path):
    model.save(tmp_path / "cells.saccade")
    again = saccade.load(tmp_path / "cells.saccade")
    assert again.predict(stripes(0)).remarks == model.predict(stripes(0)).remarks
    assert again.shared.likeness.limit == pytest.approx(model.shared.likeness.limit)


def test_segment_names_them_at_the_end(model, tmp_path):
    from PIL import Image

    model.save(tmp_path / "cells.saccade")
    (tmp_path / "images").mkdir()
    Image.fromarray(picture(7)[0]).save(tmp_path / "images" / "alike.png")
    for number in range(2):
        Image.fromarray(stripes(number)).save(tmp_path / "images" / f"other{number}.png")
    result = CliRunner().invoke(
        app,
        [
            *("segment", str(tmp_path / "images"), "--model", str(tmp_path / "cells.saccade")),
            *("-o", str(tmp_path / "out")),
        ],
    )
    assert result.exit_code == 0, result.output
    assert "look first at   other0.png, other1.png  (unlike" in result.output
    assert "2 files: looks unlike" in result.output
