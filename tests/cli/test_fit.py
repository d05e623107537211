"""``saccade fit``: a folder of images, strokes on a few, a model."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import saccade
from saccade.cli.app import app
from tests.fitted.test_model import strokes
from tests.interactive.test_shared import picture


@pytest.fixture
def folders(tmp_path):
    images, drawn = tmp_path / "images", tmp_path / "strokes"
    images.mkdir()
    drawn.mkdir()
    for seed in range(4):
        rgb, truth = picture(seed)
        Image.fromarray(rgb).save(images / f"{seed}.png")
        if seed < 2:
            Image.fromarray(strokes(truth)).save(drawn / f"{seed}.png")
    return images, drawn


def run(*words):
    return CliRunner().invoke(app, ["fit", *map(str, words)])


def test_a_model_is_fitted_and_described(folders, tmp_path):
    found = run(*folders, "-o", tmp_path / "cells.saccade")
    assert found.exit_code == 0, found.output
    assert "fitted to strokes on 2 images" in found.output
    assert "% of its strokes predicted" in found.output
    model = saccade.load(tmp_path / "cells.saccade")
    assert [one.name for one in model.stroked] == ["0.png", "1.png"]
    assert model.predict(picture(3)[0]).labels.shape == (72, 96)


def test_names_of_classes_are_kept(folders, tmp_path):
    names = tmp_path / "classes.txt"
    names.write_text("ground\ncell\n")
    run(*folders, "-o", tmp_path / "cells.saccade", "--classes", names)
    assert saccade.load(tmp_path / "cells.saccade").names == {0: "ground", 1: "cell"}


def test_it_goes_on_from_a_model(folders, tmp_path):
    images, drawn = folders
    (drawn / "1.png").rename(tmp_path / "1.png")
    run(images, drawn, "-o", tmp_path / "one.saccade")
    (drawn / "0.png").unlink()
    (tmp_path / "1.png").rename(drawn / "1.png")
    found = run(images, drawn, "-o", tmp_path / "two.saccade", "--more", tmp_path / "one.saccade")
    assert "fitted to strokes on 2 images" in found.output
    one, two = (saccade.load(tmp_path / f"{name}.saccade") for name in ("one", "two"))
    assert len(one.stroked) == 1
    assert len(two.stroked) == 2


def test_images_to_draw_on_next_are_named(folders, tmp_path):
    found = run(*folders, "-o", tmp_path / "cells.saccade", "--suggest", 5)
    named = [line.split()[3] for line in found.output.splitlines() if "draw next on" in line]
    assert sorted(named) == ["2.png", "3.png"]


def test_a_file_that_is_there_is_kept(folders, tmp_path):
    path = tmp_path / "cells.saccade"
    path.write_bytes(b"mine")
    found = run(*folders, "-o", path)
    assert found.exit_code == 1
    assert "is there already; --overwrite replaces it" in found.output
    assert path.read_bytes() == b"mine"
    assert run(*folders, "-o", path, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "{tmp}/none/a.saccade"), "no such folder"),
        (("-o", "{tmp}/a.saccade", "--more", "{tmp}/none.saccade"), "no such file"),
        (("-o", "{tmp}/a.saccade", "--preset", "paper"), "use 'fast' or 'best'"),
        (("-o", "{tmp}/a.saccade", "--more", "m.saccade", "--seed", "1"), "--seed is the model's"),
    ],
)
def test_bad_input_is_said_and_nothing_is_written(folders, tmp_path, words, message):
    found = run(*folders, *(word.format(tmp=tmp_path) for word in words))
    assert found.exit_code == 1
    assert message in found.output.replace("\n", " ")
    assert not (tmp_path / "a.saccade").exists()


def test_one_image_has_no_others_to_draw_on(folders, tmp_path):
    images, drawn = folders
    words = (images / "0.png", drawn / "0.png", "-o", tmp_path / "a.saccade", "--suggest", "1")
    found = run(*words)
    assert found.exit_code == 1
    assert "--suggest chooses from a folder" in found.output.replace("\n", " ")
    assert not (tmp_path / "a.saccade").exists()


def test_strokes_of_another_size_name_their_file(folders, tmp_path):
    images, drawn = folders
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(drawn / "1.png")
    found = run(images, drawn, "-o", tmp_path / "a.saccade")
    assert found.exit_code == 1
    assert "1.png" in found.output
