"""`saccade predict` and `segment --model` on stacks and large images, by a trained network."""

import csv
import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.formats.masks import read_mask
from saccade.images import open_image
from tests.networks import halves, small_network

SIZE = (96, 128)


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(small_network())
    return path


@pytest.fixture
def stack(tmp_path):
    path = tmp_path / "stack.tif"
    planes = np.stack([halves(s, SIZE)[..., 0] for s in range(3)])
    said = {"axes": "ZYX", "spacing": 2.0, "unit": "um"}
    tifffile.imwrite(path, planes, imagej=True, resolution=(2, 2), metadata=said)
    return path


@pytest.fixture
def lowered(monkeypatch):
    monkeypatch.setattr("saccade.slides.LARGE_PIXELS", 200_000)


@pytest.fixture
def slide(tmp_path):
    path = tmp_path / "slide.ome.tif"
    said = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    picture = halves(3, (640, 700))
    tifffile.imwrite(path, picture, tile=(128, 128), photometric="rgb", metadata=said, ome=True)
    return path


def test_all_planes_get_masks_in_a_file_with_their_axes(saccade_cli, network, stack, tmp_path):
    out = tmp_path / "out"
    result = saccade_cli("predict", network, stack, "-o", out)
    assert result.exit_code == 0, result.output + result.stderr
    mask = open_image(out / "stack.tif")
    assert mask.axes == "ZYX"
    assert mask.pixel_size == {"Z": 2.0, "Y": 0.5, "X": 0.5}
    assert not (out / "parts").exists()
    planes = open_image(stack)
    for z in range(3):
        tifffile.imwrite(tmp_path / "one.tif", planes.plane(z=z)[..., 0])
        assert saccade_cli("predict", network, tmp_path / "one.tif", "-o", out).exit_code == 0
        np.testing.assert_array_equal(mask.plane(z=z)[..., 0], read_mask(out / "one.png"))
        (out / "one.png").unlink()
    again = saccade_cli("predict", network, stack, "-o", out)
    assert "stack.tif: already done, skipped" in again.stderr
    other = saccade_cli("predict", network, stack, "-o", out, "--flip")
    assert "stack.tif: was made with other options and is kept" in other.stderr


def test_pages_of_a_tiff_are_planes_beside_pictures(saccade_cli, network, tmp_path):
    folder, out = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    tifffile.imwrite(folder / "pages.tif", np.stack([halves(s, SIZE) for s in range(2)]))
    Image.fromarray(halves(3, SIZE)).save(folder / "picture.png")
    result = saccade_cli("predict", network, folder, "-o", out)
    assert result.exit_code == 0, result.output + result.stderr
    assert sorted(p.name for p in out.iterdir() if p.is_file()) == ["pages.tif", "picture.png"]
    assert open_image(out / "pages.tif").array.shape == (2, *SIZE)


def test_a_large_image_is_seen_in_parts(saccade_cli, network, slide, monkeypatch, tmp_path):
    assert saccade_cli("predict", network, slide, "-o", tmp_path / "whole").exit_code == 0
    monkeypatch.setattr("saccade.slides.LARGE_PIXELS", 200_000)
    out = tmp_path / "out"
    result = saccade_cli("predict", network, slide, "-o", out)
    assert result.exit_code == 0, result.output + result.stderr
    labels = read_mask(out / "slide.ome.png")
    assert (labels == read_mask(tmp_path / "whole" / "slide.ome.png")).mean() > 0.95
    assert (out / "overlay" / "slide.ome.png").exists()
    assert not (out / "parts").exists()
    assert "already done" in saccade_cli("predict", network, slide, "-o", out).stderr


def test_objects_of_both_are_counted(saccade_cli, network, stack, slide, lowered, tmp_path):
    folder, out = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    for file in (stack, slide):
        file.rename(folder / file.name)
    table = tmp_path / "t.csv"
    words = ("--instances", "separate", "--format", "own", "--table", table)
    result = saccade_cli("segment", folder, "--model", network, "-o", out, *words)
    assert result.exit_code == 0, result.output + result.stderr
    with open(table, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == {"stack.tif", "slide.ome.tif"}
    assert {row["class_name"] for row in rows} == {"object"}
    found = (open_image(out / "stack.tif").array[...] == 1).sum()
    assert sum(float(row["volume"]) for row in rows if row["file"] == "stack.tif") == found > 0
    assert open_image(out / "slide.ome.tif").pixel_size == {"X": 0.25, "Y": 0.25}
    record = json.loads((out / "records" / "stack.json").read_text())
    assert "model" in record


def test_a_crf_needs_a_whole_picture(saccade_cli, network, stack, tmp_path):
    out = tmp_path / "out"
    result = saccade_cli("predict", network, stack, "-o", out, "--crf", "default")
    assert result.exit_code == 1
    assert not out.exists()
    assert "stack.tif: is a stack; --crf is of pictures, leave it out" in result.stderr


def test_other_channels_are_refused_and_nothing_is_left(saccade_cli, network, tmp_path):
    values = np.zeros((3, 5, 40, 60), np.uint16)
    tifffile.imwrite(tmp_path / "a.ome.tif", values, ome=True, metadata={"axes": "ZCYX"})
    result = saccade_cli("predict", network, tmp_path / "a.ome.tif", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "a.ome.tif: has channels that are no colors" in result.stderr
    assert not (tmp_path / "out").exists()


def test_strokes_on_a_stack_and_a_network_are_refused(saccade_cli, network, stack, tmp_path):
    drawn = np.full((3, *SIZE), 255, np.uint8)
    drawn[1, 10, 10:50], drawn[1, 50, 80:120] = 1, 0
    tifffile.imwrite(tmp_path / "s.tif", drawn, photometric="minisblack")
    words = ("segment", stack, tmp_path / "s.tif", "--model", network, "-o", tmp_path / "out")
    result = saccade_cli(*words)
    assert result.exit_code == 1
    assert "stack.tif: is a stack, with strokes on its slices; leave --model out" in result.stderr
