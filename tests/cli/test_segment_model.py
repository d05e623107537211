"""``saccade segment --model``: masks of images without strokes."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner

import saccade
from saccade.cli.app import app
from tests.fitted.test_model import strokes
from tests.fitted.test_reading import stains
from tests.interactive.test_shared import picture


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "cells.saccade"
    pictures = [picture(seed) for seed in (0, 1)]
    found = saccade.fit([rgb for rgb, _ in pictures], [strokes(truth) for _, truth in pictures])
    found.names = {0: "ground", 1: "cell"}
    found.save(path)
    return path


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for seed in (5, 6, 7):
        Image.fromarray(picture(seed)[0]).save(folder / f"{seed}.png")
    return folder


def run(*words):
    return CliRunner().invoke(app, ["segment", *map(str, words)])


def mask(path):
    return np.asarray(Image.open(path))


def test_all_images_of_a_folder_get_masks(images, model, tmp_path):
    found = run(images, "--model", model, "-o", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert "3 masks in" in found.output
    expected = saccade.load(model).predict(picture(6)[0]).labels
    assert np.array_equal(mask(tmp_path / "out" / "6.png"), expected)


def test_strokes_of_an_image_count_there(images, model, tmp_path):
    drawn = tmp_path / "strokes"
    drawn.mkdir()
    lines = np.full((72, 96), 255, np.uint8)
    lines[3:6, 3:40] = 1
    Image.fromarray(lines).save(drawn / "6.png")
    found = run(images, drawn, "--model", model, "-o", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert "3 masks in" in found.output
    assert (mask(tmp_path / "out" / "6.png")[3:6, 3:40] == 1).all()
    assert "without strokes" not in found.output


def test_one_image_alone(images, model, tmp_path):
    found = run(images / "5.png", "--model", model, "-o", tmp_path / "out", "--format", "labelme")
    assert found.exit_code == 0, found.output
    assert '"cell"' in (tmp_path / "out" / "5.json").read_text()


def test_a_run_goes_on_and_says_when_the_model_is_another(images, model, tmp_path):
    run(images, "--model", model, "-o", tmp_path / "out")
    again = run(images, "--model", model, "-o", tmp_path / "out")
    assert "3 already done, skipped" in again.output
    other = tmp_path / "other.saccade"
    rgb, truth = picture(0)
    saccade.fit([rgb], [strokes(truth)]).save(other)
    found = run(images, "--model", other, "-o", tmp_path / "out")
    assert "3 of the masks there were made with another" in found.output.replace("\n", " ")


def test_the_same_masks_side_by_side(images, model, tmp_path):
    run(images, "--model", model, "-o", tmp_path / "one")
    run(images, "--model", model, "-o", tmp_path / "two", "--jobs", "2")
    for seed in (5, 6, 7):
        one, two = (mask(tmp_path / name / f"{seed}.png") for name in ("one", "two"))
        assert np.array_equal(one, two)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "{tmp}/none.saccade"), "no such file"),
        (("--model", "{model}", "--seed", "3"), "--seed is the model's, leave it out"),
        (("--model", "{model}", "--preset", "best"), "--preset is the model's, leave it out"),
        ((), "STROKES are missing"),
    ],
)
def test_bad_input_is_said_and_nothing_is_written(images, model, tmp_path, words, message):
    words = [word.format(tmp=tmp_path, model=model) for word in words]
    found = run(images, *words, "-o", tmp_path / "out")
    assert found.exit_code == 1
    assert message in found.output.replace("\n", " ")
    assert not list(tmp_path.glob("out/*.png"))


def test_an_unreadable_image_costs_itself_alone(images, model, tmp_path):
    (images / "6.png").write_bytes(b"no picture")
    found = run(images, "--model", model, "-o", tmp_path / "out")
    assert found.exit_code == 1
    assert "6.png" in found.output
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["5.png", "7.png"]


def write_stains(folder, seeds):
    """Files of five channels of which one shows it, as 12 bits."""
    folder.mkdir()
    for seed in seeds:
        plane, truth = stains(seed)
        said = {"axes": "CYX", "Channel": {"Name": ["A", "B", "C", "D", "E"]}}
        path = folder / f"{seed}.ome.tif"
        tifffile.imwrite(path, np.moveaxis(plane, 2, 0), metadata=said, ome=True)
    return truth


def test_channels_and_window_are_the_model_s(tmp_path):
    folder, drawn = tmp_path / "stains", tmp_path / "strokes"
    truth = write_stains(folder, range(3))
    drawn.mkdir()
    for seed in range(2):
        Image.fromarray(strokes(stains(seed)[1])).save(drawn / f"{seed}.ome.png")
    fitted = ["fit", folder, drawn, "-o", tmp_path / "a.saccade"]
    fitted += ["--channels", "D,2", "--window", "0,4095"]
    found = CliRunner().invoke(app, [*map(str, fitted)])
    assert found.exit_code == 0, found.output
    reading = saccade.load(tmp_path / "a.saccade").reading
    assert (reading.channels, reading.window) == (("D", "2"), (0.0, 4095.0))
    arguments = (folder, "--model", tmp_path / "a.saccade")
    found = run(*arguments, "-o", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert (mask(tmp_path / "out" / "2.ome.png") == truth).mean() > 0.95
    other = run(*arguments, "-o", tmp_path / "other", "--window", "900,1000")
    assert other.exit_code == 0, other.output
    records = [*(tmp_path / name / "records" for name in ("out", "other"))]
    windows = [json.loads(next(iter(r.iterdir())).read_text()).get("window") for r in records]
    assert windows == [None, [900, 1000]]
    refused = CliRunner().invoke(app, [*map(str, fitted), "--more", str(tmp_path / "a.saccade"),
                                       "--overwrite"])  # fmt: skip
    assert refused.exit_code == 1
    assert "--window is the model's, leave it out with --more" in refused.stderr


def test_a_file_of_other_channels_is_one_line_and_the_others_have_masks(tmp_path):
    folder = tmp_path / "stains"
    write_stains(folder, range(3))
    tifffile.imwrite(folder / "odd.ome.tif", np.zeros((7, 72, 96), np.uint8),
                     metadata={"axes": "CYX"}, ome=True)  # fmt: skip
    plane, truth = stains(0)
    saccade.fit([plane], [strokes(truth)]).save(tmp_path / "a.saccade")
    found = run(folder, "--model", tmp_path / "a.saccade", "-o", tmp_path / "out")
    assert found.exit_code == 1
    assert "odd.ome.tif: has 7 channels, the others 5" in found.stderr
    assert "Traceback" not in found.stderr
    assert {p.name for p in (tmp_path / "out").glob("*.png")} == {f"{n}.ome.png" for n in range(3)}
