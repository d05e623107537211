"""`saccade segment --instances --table`: files of objects, and one table of a whole run."""

import csv
import json
import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.cli.object_files import _intensities, summary_path
from saccade.formats.masks import read_mask
from tests.cli import fake

SHAPE = (24, 32)


@pytest.fixture
def folders(tmp_path):
    """Three images whose mask, by the segmenter of these tests, has two squares each."""
    for name in ("images", "strokes"):
        (tmp_path / name).mkdir()
    for number, stem in enumerate("abc"):
        image = np.full((*SHAPE, 3), 50 + number, np.uint8)
        image[..., 0] += 9
        Image.fromarray(image).save(tmp_path / "images" / f"{stem}.png")
        strokes = np.full(SHAPE, 255, np.uint8)
        strokes[0, :4] = 0
        strokes[4:9, 4:9] = strokes[4:9, 20:24] = 1
        strokes[20, 3] = 1  # a small one
        Image.fromarray(strokes).save(tmp_path / "strokes" / f"{stem}.png")
    return tmp_path / "images", tmp_path / "strokes"


@pytest.fixture
def run(saccade_cli, folders, tmp_path):
    def call(*options):
        return saccade_cli("segment", *folders, "-o", tmp_path / "out", "--no-overlay", *options)

    return call


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_objects_have_numbers_and_rows(run, tmp_path):
    table = tmp_path / "cells.csv"
    result = run("--instances", "--table", table, "--min-area", "2")
    assert result.exit_code == 0
    assert "6 objects (class 1 6)" in result.stdout
    rows = rows_of(table)
    assert [row["file"] for row in rows] == ["a.png", "a.png", "b.png", "b.png", "c.png", "c.png"]
    assert [row["area"] for row in rows[:2]] == ["25", "20"]
    assert [float(row["mean_red"]) for row in rows[::2]] == [59, 60, 61]
    labels = np.asarray(Image.open(tmp_path / "out" / "instances" / "a.png"))
    assert labels.dtype == np.uint16
    assert (labels[5, 5], labels[5, 21], labels[20, 3]) == (1, 2, 0)
    summary = rows_of(summary_path(table))
    assert [(row["file"], row["count"], row["area"]) for row in summary] == [
        (f"{stem}.png", "2", "45") for stem in "abc"
    ]


def test_the_numbers_of_the_file_are_measured_in_its_unit(saccade_cli, folders, tmp_path):
    deep = np.full((2, *SHAPE), 300, np.uint16)
    deep[1, 4:9, 4:9] = 4000
    image = tmp_path / "deep.ome.tif"
    metadata = {
        "axes": "CYX",
        "Channel": {"Name": ["DAPI", "GFP"]},
        "PhysicalSizeX": 0.5,
        "PhysicalSizeY": 0.5,
    }
    tifffile.imwrite(image, deep, ome=True, metadata=metadata, photometric="minisblack")
    table = tmp_path / "cells.csv"
    strokes = folders[1] / "a.png"
    result = saccade_cli("segment", image, strokes, "-o", tmp_path / "out", "--table", table)
    assert result.exit_code == 0
    row = rows_of(table)[0]
    assert (row["mean_DAPI"], row["max_GFP"]) == ("300.0", "4000.0")
    assert row["area_um2"] == "6.25"


def test_a_run_that_goes_on_has_the_rows_of_all_images_once(run, folders, tmp_path):
    aside = tmp_path / "aside.png"
    shutil.move(folders[0] / "b.png", aside)
    table = tmp_path / "cells.csv"
    assert run("--table", table).exit_code == 0
    assert [row["file"] for row in rows_of(table)] == ["a.png"] * 3 + ["c.png"] * 3
    fake.calls.clear()
    shutil.move(aside, folders[0] / "b.png")
    assert run("--table", table).exit_code == 0
    assert len(fake.calls) == 1
    assert [row["file"] for row in rows_of(table)] == ["a.png"] * 3 + ["b.png"] * 3 + ["c.png"] * 3
    before = table.read_bytes()
    assert run("--table", table).exit_code == 0
    assert len(fake.calls) == 1
    assert table.read_bytes() == before


def test_an_image_that_fails_leaves_the_rows_of_the_others(run, folders, tmp_path):
    (folders[0] / "b.png").write_bytes(b"no image")
    result = run("--table", tmp_path / "cells.csv")
    assert result.exit_code == 1
    assert "b.png" in result.stderr
    assert {row["file"] for row in rows_of(tmp_path / "cells.csv")} == {"a.png", "c.png"}


def test_other_options_find_the_objects_anew_and_keep_the_masks(run, tmp_path):
    run("--instances", "connected", "--table", tmp_path / "cells.csv")
    mask = tmp_path / "out" / "a.png"
    mask.write_bytes(b"corrected by hand")
    result = run("--instances", "--min-area", "2", "--table", tmp_path / "cells.csv")
    assert result.exit_code == 0
    assert mask.read_bytes() == b"corrected by hand"
    assert len(rows_of(tmp_path / "cells.csv")) == 6


def test_annotations_that_are_kept_are_said(run):
    run("--format", "coco")
    result = run("--format", "coco", "--instances")
    assert "3 of the annotations there have no objects of these options" in result.stderr


@pytest.mark.parametrize(
    ("fmt", "name"), [("coco", "a.coco.json"), ("coco-polygons", "a.polygons.json")]
)
def test_coco_has_an_annotation_for_each_object(run, tmp_path, fmt, name):
    assert run("--instances", "--format", fmt).exit_code == 0
    path = tmp_path / "out" / name
    document = json.loads(path.read_text())
    assert [one["category_id"] for one in document["annotations"]] == [1, 1, 1]
    assert [one["name"] for one in document["categories"]] == ["class 1"]
    assert read_mask(path)[5, 5] == 1


def test_labelme_finds_the_image_and_has_a_shape_for_each_object(run, folders, tmp_path):
    assert run("--instances", "--format", "labelme").exit_code == 0
    document = json.loads((tmp_path / "out" / "a.json").read_text())
    assert len(document["shapes"]) == 3
    assert (tmp_path / "out" / document["imagePath"]).resolve() == (folders[0] / "a.png").resolve()


def test_yolo_is_a_folder_that_can_be_trained_on(run, folders, tmp_path):
    names = tmp_path / "classes.txt"
    names.write_text("ground\ncell\ndirt\n")
    assert run("--format", "png", "--format", "yolo", "--classes", names).exit_code == 0
    yolo = tmp_path / "out" / "yolo"
    assert sorted(path.name for path in (yolo / "labels").iterdir()) == ["a.txt", "b.txt", "c.txt"]
    assert (yolo / "images" / "b.png").read_bytes() == (folders[0] / "b.png").read_bytes()
    assert len((yolo / "labels" / "a.txt").read_text().splitlines()) == 3
    text = (yolo / "data.yaml").read_text()
    assert 'names:\n  0: "cell"\n  1: "dirt"\n' in text
    assert run("--format", "yolo", "--classes", names, "--overwrite").exit_code == 0


def test_geojson_has_a_feature_for_each_object(run, tmp_path):
    assert run("--format", "geojson").exit_code == 0
    document = json.loads((tmp_path / "out" / "a.geojson").read_text())
    assert [one["properties"]["class_name"] for one in document["features"]] == ["class 1"] * 3


@pytest.mark.parametrize(
    "form", [("--instances",), ("--instances", "separate"), ("--instances=separate",)]
)
def test_instances_may_stand_without_a_word(run, form, tmp_path):
    assert run(*form).exit_code == 0
    content = json.loads((tmp_path / "out" / "objects" / "a.json").read_text())
    assert content["made_by"] == {"instances": "separate", "min_area": 1}


def test_the_word_may_be_followed_by_the_images(saccade_cli, folders, tmp_path):
    result = saccade_cli("segment", "-o", tmp_path / "out", "--instances", *folders)
    assert result.exit_code == 0
    assert (tmp_path / "out" / "instances" / "a.png").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--instances=both",), 2, "'both' is not one of connected, separate"),
        (("--table", "cells.xlsx"), 1, "error: cells.xlsx: tables end with .csv or .parquet"),
        (("--table", "no/such/cells.csv"), 1, "there is no folder no/such"),
        (("--min-area", "0"), 2, "--min-area"),
    ],
)
def test_bad_options_are_told_before_the_work(run, tmp_path, options, code, message):
    fake.calls.clear()
    result = run(*options)
    assert result.exit_code == code
    assert message in " ".join(result.output.split())
    assert not fake.calls
    assert not (tmp_path / "out").exists()


def test_a_table_never_replaces_an_input(saccade_cli, folders, tmp_path):
    table = tmp_path / "strokes.csv"
    table.symlink_to(folders[1] / "a.png")
    result = saccade_cli("segment", *folders, "-o", tmp_path / "out", "--table", table)
    assert result.exit_code == 1
    assert "is an input and would be replaced" in result.stderr


def test_it_is_said_where_other_numbers_than_those_of_the_file_are_measured(folders):
    images, _ = folders
    colors = np.zeros((*SHAPE, 3), np.uint8)
    assert _intensities(colors, images / "a.png")[3] == ()
    turned, _, _, remarks = _intensities(colors.swapaxes(0, 1), images / "a.png")
    assert turned.shape[:2] == SHAPE[::-1]
    assert "in the file it is 24 x 32 pixels" in remarks[0]
