"""Objects of stacks: numbers through the slices, and a table in the file's unit."""

import csv

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.images import open_image

SHAPE = (6, 48, 64)
SIZES = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
BOXES = [(slice(0, 3), slice(8, 22), slice(8, 24)), (slice(2, 6), slice(28, 44), slice(36, 56))]


def bright(shape=SHAPE):
    noise = np.random.default_rng(0).normal(100, 6, shape)
    for box in BOXES:
        noise[(..., *box)] += 80
    return noise.astype(np.uint16)


@pytest.fixture
def drawn(tmp_path):
    labels = np.full(SHAPE, 255, np.uint8)
    labels[1, 3, 4:50] = labels[4, 3, 4:50] = 0
    labels[1, 14:16, 10:22] = labels[4, 36:38, 40:52] = 1
    tifffile.imwrite(tmp_path / "drawn.tif", labels)
    return tmp_path / "drawn.tif"


@pytest.fixture
def ome(tmp_path):
    path = tmp_path / "cells.ome.tif"
    said = {"axes": "ZYX", **SIZES}
    tifffile.imwrite(path, bright(), ome=True, metadata=said)
    return path


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_objects_go_through_slices_and_are_measured_in_the_unit(saccade_cli, ome, drawn, tmp_path):
    out, table = tmp_path / "out", tmp_path / "cells.csv"
    arguments = ("segment", ome, drawn, "-o", out, "--instances", "--table", table)
    result = saccade_cli(*arguments, "--min-area", "20")
    assert result.exit_code == 0, result.output
    assert "2 objects (class 1 2)" in result.stdout
    rows = rows_of(table)
    assert [row["slice"] for row in rows] == ["0", "2"]
    assert [row["object"] for row in rows] == ["1", "2"]
    numbers = open_image(out / "instances" / "cells.ome.tif")
    mask = np.asarray(open_image(out / "cells.ome.tif").array[...])
    assert numbers.axes == "ZYX"
    assert numbers.pixel_size == pytest.approx({"Z": 2.0, "Y": 0.5, "X": 0.5})
    labels, values = np.asarray(numbers.array[...]), bright()
    assert ((labels > 0) <= (mask == 1)).all()
    for number, (row, box) in enumerate(zip(rows, BOXES, strict=True), 1):
        own = labels == number
        assert own[box].mean() > 0.9
        assert int(row["volume"]) == own.sum()
        assert float(row["volume_um3"]) == pytest.approx(own.sum() * 0.5)
        z, y, x = (axis.mean() for axis in np.nonzero(own))
        assert float(row["centroid_z"]) == pytest.approx(z)
        assert float(row["centroid_z_um"]) == pytest.approx(2 * z)
        assert float(row["centroid_x_um"]) == pytest.approx(x / 2)
        assert float(row["mean_grey"]) == pytest.approx(values[own].mean())
        assert 0.5 < float(row["mean_confidence"]) <= 1
        assert (int(row["box_front"]), int(row["box_back"])) == (box[0].start, box[0].stop)
        assert y > 0
    (total,) = rows_of(tmp_path / "cells.summary.csv")
    assert (total["count"], total["volume"]) == ("2", str(sum(int(r["volume"]) for r in rows)))


def test_objects_of_a_mask_that_is_there_are_found_and_it_is_kept(
    saccade_cli, ome, drawn, tmp_path
):
    out, table = tmp_path / "out", tmp_path / "cells.csv"
    assert saccade_cli("segment", ome, drawn, "-o", out).exit_code == 0
    mask = (out / "cells.ome.tif").read_bytes()
    more = ("segment", ome, drawn, "-o", out, "--table", table)
    first = saccade_cli(*more)
    assert "is kept, its objects are found" in first.stderr
    assert (out / "cells.ome.tif").read_bytes() == mask
    whole = rows_of(table)
    again = saccade_cli(*more)
    assert "already done" in again.stderr
    assert rows_of(table) == whole
    larger = saccade_cli(*more, "--min-area", "900")
    assert "its objects are found" in larger.stderr
    assert {int(row["volume"]) >= 900 for row in rows_of(table)} == {True}


def test_a_run_that_was_stopped_has_the_same_table(saccade_cli, ome, drawn, tmp_path, monkeypatch):
    from saccade.stacks import work

    monkeypatch.setattr(work, "slab_length", lambda *sizes: 2)
    plain, begun = work.Work._segment_slab, []

    def stopped(self, fit, t, slab, result):
        begun.append(slab.start)
        if len(begun) == 2:
            raise KeyboardInterrupt
        plain(self, fit, t, slab, result)

    tables = [tmp_path / "whole.csv", tmp_path / "cells.csv"]
    options = ("--instances=connected", "--min-area", "20", "--table")
    saccade_cli("segment", ome, drawn, "-o", tmp_path / "whole", *options, tables[0])
    monkeypatch.setattr(work.Work, "_segment_slab", stopped)
    out = tmp_path / "out"
    result = saccade_cli("segment", ome, drawn, "-o", out, *options, tables[1])
    assert result.exit_code == 130
    assert rows_of(tables[1]) == []
    assert saccade_cli("segment", ome, drawn, "-o", out, *options, tables[1]).exit_code == 0
    one, other = (rows_of(path) for path in tables)
    for row, same in zip(one, other, strict=True):  # confidences are kept as 8 bits
        sure = float(row.pop("mean_confidence")), float(same.pop("mean_confidence"))
        assert sure[0] == pytest.approx(sure[1], abs=0.004)
        assert row == same


def test_each_time_has_its_objects_and_numbers_go_on(saccade_cli, drawn, tmp_path):
    values = np.stack([bright(), bright()[::-1]])
    said = {"axes": "TZYX", **SIZES}
    tifffile.imwrite(tmp_path / "cells.ome.tif", values, ome=True, metadata=said)
    labels = np.stack([tifffile.imread(drawn), np.full(SHAPE, 255, np.uint8)])
    tifffile.imwrite(drawn, labels, ome=True, metadata={"axes": "TZYX"})
    table = tmp_path / "cells.csv"
    options = ("--instances", "--min-area", "20", "--table", table)
    arguments = ("segment", tmp_path / "cells.ome.tif", drawn, "-o", tmp_path / "out")
    result = saccade_cli(*arguments, *options)
    assert result.exit_code == 0, result.output
    rows = rows_of(table)
    assert [row["object"] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
    assert {row["time"] for row in rows} == {"0", "1"}
    numbers = np.asarray(open_image(tmp_path / "out" / "instances" / "cells.ome.tif").array[...])
    for row in rows:
        t, own = int(row["time"]), numbers == int(row["object"])
        assert own[t].sum() == own.sum() == int(row["volume"])


def test_times_without_slices_have_areas(saccade_cli, drawn, tmp_path):
    labels = tifffile.imread(drawn)
    tifffile.imwrite(
        tmp_path / "film.ome.tif", bright(), ome=True, metadata={"axes": "TYX", **SIZES}
    )
    tifffile.imwrite(tmp_path / "s.tif", labels)
    table = tmp_path / "cells.csv"
    arguments = ("segment", tmp_path / "film.ome.tif", tmp_path / "s.tif", "-o", tmp_path / "out")
    result = saccade_cli(*arguments, "--min-area", "20", "--table", table)
    assert result.exit_code == 0, result.output
    rows = rows_of(table)
    assert {int(row["time"]) for row in rows} == set(range(6))
    assert all(float(row["area_um2"]) == int(row["area"]) / 4 for row in rows)
    assert not (tmp_path / "out" / "instances").exists()


def test_pictures_and_stacks_are_in_one_table(saccade_cli, drawn, tmp_path):
    images, strokes = tmp_path / "images", tmp_path / "strokes"
    images.mkdir()
    strokes.mkdir()
    tifffile.imwrite(images / "drawn.tif", bright())
    Image.fromarray(bright()[1].astype(np.uint8)).save(images / "photo.png")
    Image.fromarray(tifffile.imread(drawn)[1]).save(strokes / "photo.png")
    drawn.rename(strokes / "drawn.tif")
    table = tmp_path / "all.csv"
    result = saccade_cli(
        "segment", images, strokes, "-o", tmp_path / "out", "--min-area", "20", "--table", table
    )
    assert result.exit_code == 0, result.output
    rows = rows_of(table)
    assert {(row["file"], bool(row["area"]), bool(row["volume"])) for row in rows} == {
        ("drawn.tif", False, True),
        ("photo.png", True, False),
    }


def test_channels_are_measured_by_their_names_in_other_containers(saccade_cli, drawn, tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    from tests.images.test_science import write_zarr

    values = np.stack([bright(), bright() + 40], axis=1)
    channels = [{"label": "DAPI"}, {"label": "GFP"}]
    write_zarr(tmp_path / "cells.zarr", values, "zcyx", scale=[2, 1, 0.5, 0.5],
               omero={"channels": channels})  # fmt: skip
    table, out = tmp_path / "cells.csv", tmp_path / "out"
    arguments = ("segment", tmp_path / "cells.zarr", drawn, "-o", out, "--instances")
    result = saccade_cli(*arguments, "--min-area", "20", "--table", table)
    assert result.exit_code == 0, result.output
    numbers = zarr.open_group(str(out / "instances" / "cells.zarr"), mode="r")["0"][...]
    rows = rows_of(table)
    assert len(rows) == numbers.max() > 0
    for row in rows:
        own = numbers == int(row["object"])
        assert float(row["mean_GFP"]) == pytest.approx(values[:, 1][own].mean())
        assert float(row["max_DAPI"]) == values[:, 0][own].max()
