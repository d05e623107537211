"""What readers remark is printed by every verb, once a kind with the number of its images."""

import json
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.remarks import SHOWN, Remarks
from tests.cli.conftest import write_pair

PAGES = "the first of 3 pages"


@pytest.fixture
def stacks(tmp_path):
    """Five images of three pages each with their strokes; labels 1 and 2 on 0, in a box more."""
    images, strokes = tmp_path / "images", tmp_path / "strokes"
    images.mkdir()
    strokes.mkdir()
    for number in range(5):
        write_pair(images / "x.png", strokes / f"s{number}.png", number)
        pixels = np.asarray(Image.open(images / "x.png"))
        (images / "x.png").unlink()
        tifffile.imwrite(images / f"s{number}.tif", np.stack([pixels] * 3), photometric="rgb")
    return images, strokes


def said(result, text=PAGES):
    return sum(text in line for line in result.stderr.splitlines())


@pytest.mark.parametrize("options", [(), ("-q",)])
def test_segment_says_a_kind_once_and_at_the_end(saccade_cli, stacks, tmp_path, options):
    result = saccade_cli("segment", *stacks, "-o", tmp_path / "out", "--no-overlay", *options)
    assert result.exit_code == 0, result.output
    assert said(result) == 2
    assert f"s0.tif: {PAGES}" in result.stderr
    assert f"5 files: {PAGES} (s0.tif)" in result.stderr


def test_one_image_says_it_once(saccade_cli, stacks, tmp_path):
    pair = stacks[0] / "s1.tif", stacks[1] / "s1.png"
    result = saccade_cli("segment", *pair, "-o", tmp_path / "out", "--no-overlay")
    assert said(result) == 1


def test_strokes_say_what_they_left_out(saccade_cli, stacks, tmp_path):
    for number in range(5):
        (stacks[1] / f"s{number}.png").unlink()
        shapes = [
            {"label": "a", "points": [[2, 2], [9, 2]], "shape_type": "linestrip"},
            {"label": "b", "points": [[2, 8], [9, 8]], "shape_type": "linestrip"},
            {"label": "c", "points": [[2, 8], [9, 8]], "shape_type": "cuboid"},
        ]
        document = {"shapes": shapes, "imageHeight": 12, "imageWidth": 16}
        (stacks[1] / f"s{number}.json").write_text(json.dumps(document))
    result = saccade_cli("segment", *stacks, "-o", tmp_path / "out", "--no-overlay")
    assert result.exit_code == 0, result.output
    assert said(result, "cuboid") == 2


def test_pseudo_label_says_it_and_keeps_it(saccade_cli, stacks, tmp_path):
    classes = tmp_path / "classes.txt"
    classes.write_text("background\nobject\n")
    out = tmp_path / "out"
    for _ in range(2):  # the second time from the records
        result = saccade_cli("pseudo-label", *stacks, "-o", out, "--classes", classes, "--jobs", 1)
        assert result.exit_code == 0, result.output
        assert said(result, f"5 files: {PAGES}") == 1
    assert json.loads((out / "records" / "s0.json").read_text())["remarks"] == [PAGES]


def test_predict_says_what_it_leaves_out_and_takes_all_pages(
    trained, saccade_cli, stacks, tmp_path
):
    network = next((trained.parent if trained.is_file() else trained).rglob("best.safetensors"))
    (stacks[0] / "notes.txt").write_text("x")
    result = saccade_cli("predict", network, stacks[0], "-o", tmp_path / "out", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "images: 1 file left out: .txt" in result.stderr
    assert said(result, f"5 files: {PAGES}") == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tif")) == [
        f"s{number}.tif" for number in range(5)
    ]
    assert tifffile.imread(tmp_path / "out" / "s0.tif").shape[0] == 3


def test_kinds_are_counted_whatever_their_numbers_are():
    lines = []
    remarks = Remarks(lines.append)
    for number in range(1000):
        remarks.add(f"{number}.tif", [f"16-bit values {number} to 4{number} were stretched"])
    remarks.add("a.tif", ["3 shapes were skipped"])
    remarks.summarize()
    assert len(lines) == 4
    assert lines[2].startswith("1000 files: 16-bit values 0 to 40 were stretched (0.tif; the num")


def test_no_more_than_some_kinds_are_said():
    lines = []
    remarks = Remarks(lines.append)
    for kind in "abcdefghijklmno":
        remarks.add("x.tif", [f"band {kind} is not used"])
    remarks.summarize()
    assert len(lines) == 2 * SHOWN + 1
    assert lines[-1] == f"and {15 - SHOWN} other kinds of remarks"


@pytest.fixture
def converted(trained, tmp_path):
    """The data set of a network, its images as TIFF files of three pages."""
    root = tmp_path / "set"
    shutil.copytree(trained / "data", root / "data")
    shutil.copy(trained / "train.toml", root)
    for path in list((root / "data" / "images").rglob("*.png")):
        pages = np.stack([np.asarray(Image.open(path))] * 3)
        tifffile.imwrite(path.with_suffix(".tif"), pages, photometric="rgb")
        path.unlink()
    return root


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("check-data data", 4),
        ("check-data data -q", 4),
        ("train train.toml -o out", 4),
        ("train train.toml -o out -q", 4),
        ("evaluate NETWORK data -o out --device cpu", 2),
        (
            "localize data -o out --weights none --backbone mobilenet_v2 --epochs 1 --batch 2 "
            "--crop 48 --device cpu",
            4,
        ),
    ],
)
def test_verbs_on_data_sets_count_what_was_converted(
    trained, converted, monkeypatch, saccade_cli, line, count
):
    monkeypatch.chdir(converted)
    line = line.replace("NETWORK", str(trained / "run" / "best.safetensors"))
    result = saccade_cli(*line.split())
    assert result.exit_code == 0, result.output + result.stderr
    assert result.output.count(f"{count} files: {PAGES}") == 1, result.output
    if "evaluate" in line:
        remarks = json.loads((converted / "out" / "scores.json").read_text())["remarks"]
        assert any(PAGES in remark for remark in remarks)
