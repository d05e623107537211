"""Masks and polygons of images that know their place or the size of their pixels."""

import importlib.util
import json

import numpy as np
import pytest
import tifffile

from saccade.formats.masks import read_mask
from tests.cli.conftest import SHAPE, tree, write_pair


@pytest.fixture
def drawn(tmp_path):
    write_pair(tmp_path / "x.png", tmp_path / "s.png")
    return tmp_path / "s.png"


def geotiff(path):
    rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")
    values = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    values[0, :3] = -9999
    profile = {
        "driver": "GTiff", "width": SHAPE[1], "height": SHAPE[0], "count": 1, "dtype": "float32",
        "crs": "EPSG:32633", "nodata": -9999,
        "transform": rasterio.Affine(10.0, 0, 500000.0, 0, -10.0, 5800000.0),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(values, 1)
    return rasterio


def test_a_geotiff_has_a_mask_at_its_place(saccade_cli, tmp_path, drawn):
    rasterio = geotiff(tmp_path / "field.tif")
    out = tmp_path / "out"
    arguments = ("segment", tmp_path / "field.tif", drawn, "-o", out, "--no-overlay")
    result = saccade_cli(*arguments)
    assert result.exit_code == 0, result.output
    assert tree(out) == {"field.png", "own/field.tif"}
    with rasterio.open(out / "own" / "field.tif") as mask:
        assert mask.crs == rasterio.CRS.from_epsg(32633)
        assert tuple(mask.transform)[:6] == (10, 0, 500000, 0, -10, 5800000)
        assert mask.nodata == 255
        labels = mask.read(1)
    assert labels[0, :4].tolist()[:3] == [255] * 3
    np.testing.assert_array_equal(labels[1:], read_mask(out / "field.png")[1:])
    assert "already done" in saccade_cli(*arguments).stderr


def test_geojson_is_at_its_place_and_says_in_which_system(saccade_cli, tmp_path, drawn):
    geotiff(tmp_path / "field.tif")
    arguments = ("segment", tmp_path / "field.tif", drawn, "-o", tmp_path / "out")
    result = saccade_cli(*arguments, "--format", "png", "--format", "geojson")
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "out" / "field.geojson").read_text())
    assert document["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::32633"
    corners = json.dumps([feature["geometry"] for feature in document["features"]])
    assert document["features"]
    assert "500" in corners
    first = np.array(document["features"][0]["geometry"]["coordinates"][0]).reshape(-1, 2)
    assert (first[:, 0] >= 500000).all()
    assert (first[:, 1] <= 5800000).all()


def test_a_geopackage_is_at_its_place(saccade_cli, tmp_path, drawn):
    pyogrio = pytest.importorskip("pyogrio", reason="pyogrio is not installed")
    geotiff(tmp_path / "field.tif")
    arguments = ("segment", tmp_path / "field.tif", drawn, "-o", tmp_path / "out")
    result = saccade_cli(*arguments, "--format", "png", "--format", "gpkg", "--format", "geojson")
    assert result.exit_code == 0, result.output
    info = pyogrio.read_info(tmp_path / "out" / "field.gpkg", force_total_bounds=True)
    document = json.loads((tmp_path / "out" / "field.geojson").read_text())
    assert info["crs"] == "EPSG:32633"
    assert info["features"] == len(document["features"]) > 0
    left, top = info["total_bounds"][0], info["total_bounds"][3]
    assert left >= 500000
    assert top <= 5800000


def test_a_geopackage_without_its_package_is_refused_before_the_work(
    saccade_cli, tmp_path, drawn, monkeypatch
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "saccade.images.extras.find_spec", lambda name: None if name == "pyogrio" else find(name)
    )
    arguments = ("segment", tmp_path / "x.png", drawn, "-o", tmp_path / "out")
    result = saccade_cli(*arguments, "--format", "gpkg")
    assert result.exit_code == 1
    assert "pip install 'saccade[science]'" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_own_alone(saccade_cli, tmp_path, drawn):
    said = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    values = np.arange(np.prod(SHAPE), dtype=np.uint8).reshape(SHAPE)
    tifffile.imwrite(tmp_path / "a.ome.tif", values, metadata=said)
    for image, name in (("a.ome.tif", "a.ome.tif"), ("x.png", "x.png")):
        out = tmp_path / f"out-{name}"
        result = saccade_cli(
            "segment", tmp_path / image, drawn, "-o", out, "--format", "own", "--no-overlay"
        )
        assert result.exit_code == 0, result.output
        assert tree(out) == {name}
        assert read_mask(out / name).shape == SHAPE
    with tifffile.TiffFile(tmp_path / "out-a.ome.tif" / "a.ome.tif") as file:
        assert 'PhysicalSizeX="0.5"' in file.ome_metadata


def test_a_plain_tiff_has_a_png_alone(saccade_cli, tmp_path, drawn):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((*SHAPE, 3), np.uint8), photometric="rgb")
    out = tmp_path / "out"
    saccade_cli("segment", tmp_path / "a.tif", drawn, "-o", out, "--no-overlay")
    assert tree(out) == {"a.png"}
    assert not (out / "own").exists()
