"""Every way to go wrong is one line on stderr, exit code 1, and nothing written."""

import numpy as np
import pytest
from PIL import Image

from saccade.errors import InputError
from tests.cli.conftest import SHAPE, tree


def check(result, *parts):
    assert result.exit_code == 1
    line = result.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    for part in parts:
        assert part in line
    assert result.stdout == ""


def test_a_missing_image_is_named(saccade_cli, pair, tmp_path):
    result = saccade_cli("segment", tmp_path / "nope.png", pair[1], "-o", tmp_path / "out")
    check(result, "nope.png: no such file")
    assert not (tmp_path / "out").exists()


def test_missing_strokes_are_named(saccade_cli, pair, tmp_path):
    result = saccade_cli("segment", pair[0], tmp_path / "nope.png", "-o", tmp_path / "out")
    check(result, "nope.png: no such file")


def test_a_file_with_a_folder_is_refused(saccade_cli, pair, tmp_path):
    (tmp_path / "folder").mkdir()
    result = saccade_cli("segment", pair[0], tmp_path / "folder", "-o", tmp_path / "out")
    check(result, "folder is a folder", "photo.png is a file")


def test_folders_with_nothing_in_common(saccade_cli, folders, tmp_path):
    for path in folders[1].iterdir():
        path.rename(path.with_stem(path.stem + "_strokes"))
    check(saccade_cli("segment", *folders, "-o", tmp_path / "out"), "(3 images)", "in common")


def test_two_files_of_one_stem(saccade_cli, folders, tmp_path):
    Image.open(folders[0] / "a.png").save(folders[0] / "a.bmp")
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out")
    check(result, "a.bmp and a.png have the same stem")


@pytest.mark.parametrize("which", [0, 1])
def test_garbage_instead_of_a_file(saccade_cli, pair, tmp_path, which):
    pair[which].write_bytes(b"garbage" * 20)
    check(saccade_cli("segment", *pair, "-o", tmp_path / "out"), str(pair[which]))
    assert tree(tmp_path / "out") == set()


def test_strokes_of_another_size(saccade_cli, pair, tmp_path):
    Image.open(pair[1]).resize((5, 6), Image.Resampling.NEAREST).save(pair[1])
    check(saccade_cli("segment", *pair, "-o", tmp_path / "out"), "drawn.png", "5 x 6")
    assert tree(tmp_path / "out") == set()


def test_strokes_without_a_class(saccade_cli, pair, tmp_path):
    Image.fromarray(np.full(SHAPE, 255, dtype=np.uint8)).save(pair[1])
    check(saccade_cli("segment", *pair, "-o", tmp_path / "out/deep"), "drawn.png", "no strokes")
    assert not (tmp_path / "out").exists()  # folders made for nothing are taken back


def test_a_folder_of_the_users_own_stays(saccade_cli, pair, tmp_path):
    (tmp_path / "out").mkdir()
    Image.fromarray(np.full(SHAPE, 255, dtype=np.uint8)).save(pair[1])
    check(saccade_cli("segment", *pair, "-o", tmp_path / "out"), "no strokes")
    assert list((tmp_path / "out").iterdir()) == []


def test_output_is_a_file(saccade_cli, pair):
    check(saccade_cli("segment", *pair, "-o", pair[0]), "is a file, expected a folder")


def test_output_below_a_file(saccade_cli, pair):
    check(saccade_cli("segment", *pair, "-o", pair[0] / "out"), "cannot be written to")


def test_output_folder_of_an_extra_is_a_file(saccade_cli, pair, tmp_path):
    (tmp_path / "overlay").write_text("in the way")
    photo = pair[0].rename(tmp_path / "photo.jpg")
    check(saccade_cli("segment", photo, pair[1], "-o", tmp_path), "overlay: is a file")


@pytest.mark.parametrize("which", [0, 1])
def test_output_would_replace_an_input(saccade_cli, folders, which):
    before = (folders[which] / "a.png").read_bytes()
    result = saccade_cli("segment", *folders, "-o", folders[which], "--overwrite")
    check(result, "a.png: is an input")
    assert (folders[which] / "a.png").read_bytes() == before


def test_missing_file_of_classes(saccade_cli, pair, tmp_path):
    options = ("-o", tmp_path / "out", "--classes", tmp_path / "nope.txt")
    check(saccade_cli("segment", *pair, *options), "nope.txt: no such file")


def test_an_unknown_device_ends_a_batch_before_it_starts(
    saccade_cli, folders, tmp_path, monkeypatch
):
    def refuse(self, *args, **kwargs):
        raise InputError("device 'abacus': expected auto, cpu or cuda")

    monkeypatch.setattr("tests.cli.fake.FakeSegmenter.__init__", refuse)
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--device", "abacus")
    check(result, "error: device 'abacus'")
    assert result.stderr.count("abacus") == 1


def test_an_unexpected_error_names_its_type(saccade_cli, pair, tmp_path, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("tests.cli.fake.FakeSegmenter.fit", broken)
    result = saccade_cli("segment", *pair, "-o", tmp_path / "out")
    check(result, "unexpected ZeroDivisionError: division by zero")
    assert tree(tmp_path / "out") == set()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preset", "slow"), "'slow' is not one of fast, best, paper"),
        (("--format", "gif"), "'gif' is not one of png, tiff, coco, coco-polygons, labelme"),
        (("--unlabeled", "many"), "'many' is neither 'auto' nor a whole number"),
        (("--seed", "x"), "--seed"),
        (("--nope",), "--nope"),
    ],
)
def test_bad_usage_is_code_2(saccade_cli, pair, tmp_path, options, message):
    result = saccade_cli("segment", *pair, "-o", tmp_path / "out", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_call_without_output_is_refused(saccade_cli, pair):
    result = saccade_cli("segment", *pair)
    assert result.exit_code == 2
    assert "--output" in result.stderr
