"""Masks written tile by tile are those that are written as a whole."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from saccade.errors import InputError
from saccade.formats.containers import write_like
from saccade.formats.masks import read_mask
from saccade.formats.tiled import write_large_png, write_tiled
from saccade.images import Image, open_image

SIZE = (530, 1100)  # no multiples of a tile


@pytest.fixture
def labels():
    return np.random.default_rng(0).integers(0, 3, SIZE).astype(np.uint8)


@pytest.fixture(params=["ome", "imagej", "plain"])
def image(request, tmp_path):
    said = {
        "ome": {"ome": True, "metadata": {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5}},
        "imagej": {"imagej": True, "resolution": (4, 2), "metadata": {"unit": "um"}},
        "plain": {"resolution": (100, 50), "resolutionunit": "CENTIMETER"},
    }
    path = tmp_path / ("a.ome.tif" if request.param == "ome" else "a.tif")
    tifffile.imwrite(path, np.zeros(SIZE, np.uint16), **said[request.param])
    return open_image(path)


def test_tiles_keep_labels_and_pixel_size(tmp_path, image, labels):
    write_tiled(tmp_path / "mask.tif", labels, image)
    found = open_image(tmp_path / "mask.tif")
    assert np.array_equal(np.asarray(found.array[...]), labels)
    scale = {("um", "mm"): 1000, ("mm", "um"): 1 / 1000}.get((image.unit, found.unit), 1)
    sizes = {axis: one * scale for axis, one in found.pixel_size.items()}
    assert sizes == pytest.approx(dict(image.pixel_size))
    with tifffile.TiffFile(tmp_path / "mask.tif") as file:
        assert file.is_bigtiff
        assert file.pages[0].is_tiled


def test_a_place_in_the_world_and_missing_data_are_kept(tmp_path, labels):
    rasterio = pytest.importorskip("rasterio")
    values = np.ones(SIZE, np.float32)
    values[:100, 600:] = -9999
    place = rasterio.Affine(10, 0, 500_000, 0, -10, 5_800_000)
    how = {"driver": "GTiff", "height": SIZE[0], "width": SIZE[1], "count": 1, "dtype": "float32"}
    with rasterio.open(
        tmp_path / "a.tif", "w", crs="EPSG:32633", transform=place, nodata=-9999, **how
    ) as file:
        file.write(values, 1)
    image = open_image(tmp_path / "a.tif")
    write_tiled(tmp_path / "tiles.tif", labels, image)
    write_like(tmp_path / "whole.tif", labels, image, missing=values < 0)
    with (
        rasterio.open(tmp_path / "tiles.tif") as tiles,
        rasterio.open(tmp_path / "whole.tif") as whole,
    ):
        assert tiles.crs == whole.crs
        assert tiles.transform == whole.transform == place
        assert tiles.nodata == whole.nodata == 255
        assert np.array_equal(tiles.read(1), whole.read(1))


def test_a_png_reads_back_as_others_do(tmp_path, labels):
    write_large_png(tmp_path / "mask.png", labels, ("ground", "cell", "other"))
    assert np.array_equal(read_mask(tmp_path / "mask.png"), labels)
    with Picture.open(tmp_path / "mask.png") as picture:
        assert picture.mode == "P"
        assert "1 cell" in picture.text[next(iter(picture.text))]


def test_labels_of_another_size_are_refused(tmp_path, image, labels):
    with pytest.raises(InputError, match="the image has"):
        write_tiled(tmp_path / "mask.tif", labels[:100], image)
    assert not (tmp_path / "mask.tif").exists()


def test_a_writer_that_is_stopped_leaves_no_file(tmp_path, labels):
    class Broken:
        shape, dtype = labels.shape, labels.dtype

        def __getitem__(self, key):
            if key[0].start:
                raise KeyboardInterrupt
            return labels[key]

    with pytest.raises(KeyboardInterrupt):
        write_tiled(tmp_path / "mask.tif", Broken(), Image(labels, "YX"))
    assert list(tmp_path.iterdir()) == []
