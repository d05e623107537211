"""Models of images whose numbers are no colors: channels and windows are the model's."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from safetensors import safe_open

import saccade
from saccade.errors import InputError
from saccade.images import Image, Reading, reading_of
from saccade.interactive.presets import preset_named
from tests.fitted.test_model import PRESET, right, strokes
from tests.interactive.test_shared import picture


def stains(seed, size=(72, 96)):
    """Five channels of 12 bits; what is to be found shows in the fourth alone."""
    _, truth = picture(seed, size)
    rng = np.random.default_rng(seed)
    plane = rng.normal(900, 60, (*truth.shape, 5))
    plane[..., 3] += 500 * truth
    return plane.clip(0, 4095).astype(np.uint16), truth


@pytest.fixture(scope="module")
def cells():
    return [stains(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def model(cells):
    images = [plane for plane, _ in cells[:3]]
    return saccade.fit(images, [strokes(cells[0][1]), strokes(cells[1][1]), None], preset=PRESET)


def test_all_channels_are_used(model, cells):
    plane, truth = cells[3]
    assert right(model.predict(plane), truth) > 0.95
    assert [one.name for one in model.suggest_images(3)] == ["image 3"]
    assert any("5 channels" in line for line in model.predict(plane).remarks)
    alone = saccade.fit([cells[0][0]], [strokes(cells[0][1])], preset=PRESET, channels=[0, 1, 2])
    assert right(alone.predict(plane), truth) < 0.9  # without the channel that shows it


def test_images_are_read_by_one_basis(model, cells):
    plane, _ = cells[3]
    whole, part = model.read(plane), model.read(plane[:40])
    np.testing.assert_array_equal(part.components, whole.components[:40])


@pytest.mark.parametrize(("step", "most"), [(1, 640_000), (1, 5000), (4, 640_000)])
def test_a_file_keeps_channels_window_and_basis(tmp_path, step, most):
    """Of images of their own size, of larger ones than are worked on, and of tiny ones."""
    cells = [tuple(one[::step, ::step] for one in stains(seed)) for seed in range(3)]
    preset = replace(preset_named("fast"), max_pixels=most)
    model = saccade.fit(
        [cells[0][0]], [strokes(cells[0][1])], preset=preset, channels=[3, 0], window=(0, 4095)
    )
    model.save(tmp_path / "cells.saccade")
    again = saccade.load(tmp_path / "cells.saccade")
    assert again.reading.channels == (3, 0)
    assert again.reading.window == (0.0, 4095.0)
    for own in (None, strokes(cells[2][1])):
        one, other = (m.predict(cells[2][0], own).probabilities for m in (model, again))
        np.testing.assert_array_equal(one, other)
    again.update([cells[1][0]], [strokes(cells[1][1])])
    assert len(again.stroked) == 2


def test_a_model_of_pictures_is_written_as_ever(tmp_path):
    rgb, truth = picture(0)
    saccade.fit([rgb], [strokes(truth)], preset=PRESET).save(tmp_path / "a.saccade")
    with safe_open(tmp_path / "a.saccade", "pt") as found:
        header = json.loads(found.metadata()["saccade_model"])
    assert header["format"] == 1
    assert "reading" not in header


def test_a_window_is_the_model_s_and_may_be_another_for_an_image():
    rgb, truth = picture(0)
    dim = rgb.astype(np.uint16) * 16  # 12 bits
    model = saccade.fit([dim], [strokes(truth)], preset=PRESET, window=(0, 4080))
    colors = saccade.fit([rgb], [strokes(truth)], preset=PRESET)
    other, truth = picture(3)
    expected = colors.predict(other).labels
    for plane, window in ((other.astype(np.uint16) * 16, None), (other, (0, 255))):
        np.testing.assert_array_equal(model.predict(plane, window=window).labels, expected)


@pytest.mark.parametrize("shape", [(72, 96, 3), (72, 96, 6), (72, 96)])
def test_other_channels_are_refused_in_one_line(model, shape):
    with pytest.raises(InputError, match=r"^image 1: image: has \d channels, the others 5$"):
        model.predict(np.zeros(shape, np.uint8))


def test_images_of_different_channels_are_no_kind(cells):
    drawn = [strokes(cells[0][1]), strokes(cells[1][1])]
    with pytest.raises(InputError, match="has 4 channels, the others 5"):
        saccade.fit([cells[0][0], Image(cells[1][0][..., :4], "YXC")], drawn, preset=PRESET)
    with pytest.raises(InputError, match="image 1: image: channel 7, expected 0 to 4"):
        saccade.fit([cells[0][0]], [drawn[0]], preset=PRESET, channels=[7])


def test_windows_of_files_hold_where_all_say_the_same(tmp_path, cells):
    said = {"axes": "CYX", "Ranges": (0.0, 2000.0) * 5}
    for number in range(2):
        planes = np.moveaxis(cells[number][0], 2, 0)
        ranges = {**said, "Ranges": (0.0, 2000.0 + 100 * number) * 5}
        tifffile.imwrite(tmp_path / f"same-{number}.tif", planes, imagej=True, metadata=said)
        tifffile.imwrite(tmp_path / f"own-{number}.tif", planes, imagej=True, metadata=ranges)
    same = reading_of([tmp_path / "same-0.tif", tmp_path / "same-1.tif"])
    own = reading_of([tmp_path / "own-0.tif", tmp_path / "own-1.tif"])
    assert same.basis.low.tolist() == [0] * 5
    assert same.basis.span.tolist() == [2000] * 5
    assert (own.basis.span < 2000).all()


def test_pictures_have_no_basis(tmp_path):
    assert reading_of([np.zeros((4, 6, 4), np.uint8), np.zeros((4, 6))]) == Reading()


@pytest.mark.parametrize(
    ("place", "value"),
    [("channels", [1.5]), ("window", [5, 1]), ("basis", {"low": [1]}), ("basis", "low")],
)
def test_a_damaged_reading_is_one_line(model, tmp_path, place, value):
    from safetensors.torch import load_file, save_file

    path = tmp_path / "a.saccade"
    model.save(path)
    tensors = load_file(path)
    with safe_open(path, "pt") as found:
        header = json.loads(found.metadata()["saccade_model"])
    header["reading"][place] = value
    save_file(tensors, path, {"saccade_model": json.dumps(header)})
    with pytest.raises(InputError, match=r"a\.saccade: its header is damaged"):
        saccade.load(path)
