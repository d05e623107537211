"""`saccade segment` for images above a limit: part by part, kept where it is stopped."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.formats.masks import read_mask
from saccade.images import image_size, open_image
from saccade.objects import find_objects
from tests.slides.conftest import SMALL, corner, field  # noqa: F401

LOWERED = """
from dataclasses import replace
import saccade.slides as slides
from saccade.interactive.presets import preset_named
import saccade.slides.segmenting as segmenting
slides.LARGE_PIXELS = 100_000
segmenting.preset_named = lambda name: replace(preset_named(name), max_pixels=40_000)
from saccade.cli import main
main()
"""
"""The command line with limits so low that a small image is a large one."""


@pytest.fixture
def lowered(monkeypatch):
    monkeypatch.setattr("saccade.slides.LARGE_PIXELS", 100_000)
    monkeypatch.setattr("saccade.slides.segmenting.preset_named", lambda name: SMALL)


@pytest.fixture
def slide(tmp_path, corner):  # noqa: F811
    """A tiled OME-TIFF with a pixel size, and thin strokes in its corner."""
    path = tmp_path / "slide.ome.tif"
    said = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    tifffile.imwrite(path, corner[0], tile=(128, 128), photometric="rgb", metadata=said, ome=True)
    Image.fromarray(corner[1]).save(tmp_path / "strokes.png")
    return path, tmp_path / "strokes.png"


def test_masks_keep_the_pixel_size_and_nothing_is_left(saccade_cli, lowered, slide, tmp_path):
    out = tmp_path / "out"
    result = saccade_cli("segment", *slide, "-o", out, "--uncertainty")
    assert result.exit_code == 0, result.output
    assert "by strokes on some" in result.stderr
    mask = open_image(out / "own" / "slide.ome.tif")
    assert mask.pixel_size == {"X": 0.25, "Y": 0.25}
    png = read_mask(out / "slide.ome.png")
    assert np.array_equal(np.asarray(mask.array[...]), png)
    assert png.shape == (720, 960)
    small = image_size(out / "overlay" / "slide.ome.png")
    assert small == image_size(out / "uncertainty" / "slide.ome.png")
    assert small[0] * small[1] < 50_000
    assert not (out / "parts").exists()
    again = saccade_cli("segment", *slide, "-o", out)
    assert "already done" in again.stderr


def test_ctrl_c_keeps_what_is_finished(saccade_cli, lowered, slide, tmp_path, monkeypatch):
    import saccade.slides.answers as answers

    expected = tmp_path / "whole"
    assert saccade_cli("segment", *slide, "-o", expected).exit_code == 0
    arrays, left = answers._arrays, iter(range(2))

    def stopped(*maps):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return arrays(*maps)

    monkeypatch.setattr(answers, "_arrays", stopped)
    out = tmp_path / "out"
    result = saccade_cli("segment", *slide, "-o", out)
    assert result.exit_code == 130
    assert "3 parts of slide.ome.tif are kept; run it again" in result.stderr
    assert not (out / "slide.ome.png").exists()
    monkeypatch.setattr(answers, "_arrays", arrays)
    result = saccade_cli("segment", *slide, "-o", out)
    assert "3 parts are finished already" in result.stderr
    assert (out / "slide.ome.png").read_bytes() == (expected / "slide.ome.png").read_bytes()
    own = [np.asarray(open_image(x / "own/slide.ome.tif").array[...]) for x in (out, expected)]
    assert np.array_equal(*own)


def test_other_options_begin_anew(saccade_cli, lowered, slide, tmp_path, monkeypatch):
    import saccade.slides.answers as answers

    def stopped(*maps):
        raise KeyboardInterrupt

    arrays = answers._arrays
    monkeypatch.setattr(answers, "_arrays", stopped)
    out = tmp_path / "out"
    assert saccade_cli("segment", *slide, "-o", out).exit_code == 130
    monkeypatch.setattr(answers, "_arrays", arrays)
    result = saccade_cli("segment", *slide, "-o", out, "--seed", "1")
    assert result.exit_code == 0
    assert "finished already" not in result.stderr


def test_a_killed_program_goes_on_to_the_same_mask(slide, tmp_path):
    command = [sys.executable, "-c", LOWERED, "segment", *map(str, slide), "-o"]
    out, expected = tmp_path / "out", tmp_path / "whole"
    with subprocess.Popen([*command, str(out)], stderr=subprocess.DEVNULL) as running:
        parts = out / "parts" / "slide.ome.tif"
        while not list(parts.glob("window-*.npz")) and running.poll() is None:
            time.sleep(0.01)
        os.kill(running.pid, signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    assert not (out / "slide.ome.png").exists()
    for folder in (out, expected):
        subprocess.run([*command, str(folder)], check=True, capture_output=True)
    assert (out / "slide.ome.png").read_bytes() == (expected / "slide.ome.png").read_bytes()
    assert not (out / "parts").exists()


def test_its_objects_are_numbered_and_measured(saccade_cli, lowered, slide, tmp_path):
    out, table = tmp_path / "out", tmp_path / "cells.csv"
    asked = "--instances", "separate", "--min-area", "30"
    result = saccade_cli("segment", *slide, "-o", out, *asked, "--table", table)
    assert result.exit_code == 0, result.output
    numbers = open_image(out / "instances" / "slide.ome.tif")
    assert numbers.pixel_size == {"X": 0.25, "Y": 0.25}
    labels = np.asarray(numbers.array[...])
    assert labels.dtype == np.uint32
    mask = read_mask(out / "slide.ome.png")
    expected = find_objects(mask, confidence=np.ones(mask.shape, np.float32), min_area=30)
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["object"]) for row in rows] == list(range(1, labels.max() + 1))
    assert len(rows) == pytest.approx(expected.count, rel=0.1)  # parted by probability too
    (row, top) = rows[7], int(rows[7]["box_top"])
    own = labels == 8
    assert int(row["area"]) == own.sum()
    assert float(row["area_um2"]) == pytest.approx(own.sum() / 16)
    assert top == np.flatnonzero(own.any(axis=1))[0]
    values = np.asarray(open_image(slide[0]).array[...])[own]
    assert float(row["mean_red"]) == pytest.approx(values[:, 0].mean())
    assert (out / "objects" / "slide.ome.json").is_file()
    assert not (out / "parts").exists()
    again = saccade_cli("segment", *slide, "-o", out, *asked)
    assert "already done" in again.stderr


@pytest.mark.parametrize(
    "asked",
    [
        ("--format", "coco"),
        ("--probabilities",),
        ("--format", "geojson"),
    ],
)
def test_what_needs_all_of_it_is_refused_before_work(saccade_cli, lowered, slide, tmp_path, asked):
    result = saccade_cli("segment", *slide, "-o", tmp_path / "out", *asked)
    assert result.exit_code == 1
    assert "is segmented part by part" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_damaged_tile_is_one_line_and_leaves_no_mask(saccade_cli, lowered, slide, tmp_path):
    with tifffile.TiffFile(slide[0]) as file:
        start = file.pages[0].dataoffsets[-1]
    slide[0].write_bytes(slide[0].read_bytes()[: start + 100])
    out = tmp_path / "out"
    result = saccade_cli("segment", *slide, "-o", out)
    assert result.exit_code == 1
    assert result.stderr.count("\n") <= 3
    assert "slide.ome.tif" in result.stderr
    assert not (out / "slide.ome.png").exists()


def test_strokes_that_are_all_but_blank_may_be_in_a_small_file(tmp_path):
    """Above 100 megapixels small files are refused, but for strokes as large as their image."""
    from saccade.errors import InputError
    from saccade.images.decoding import decode_first

    size = (10_400, 10_400)
    Image.new("L", size, 255).save(tmp_path / "blank.png")
    assert decode_first(tmp_path / "blank.png", shape=size)[0].size == size
    with pytest.raises(InputError, match="all but blank"):
        decode_first(tmp_path / "blank.png")
