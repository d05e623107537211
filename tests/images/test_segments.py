"""Compressions that tifffile alone does not decode, against the numbers that were written."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.images import read_image, read_labels
from saccade.images.tiff import tiff_values
from tests.images.tiff_writer import write_lzw

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bands", [1, 3, 5])
@pytest.mark.parametrize(
    ("dtype", "predictor"),
    [(t, p) for t in ("uint8", "uint16", "int64") for p in (1, 2)]
    + [(t, p) for t in ("float32", "float64") for p in (1, 3)],
)
def test_lzw_of_every_type(tmp_path, dtype, predictor, bands, order, tile):
    values = RNG.integers(0, 200, (24, 33, bands)).astype(dtype)
    write_lzw(tmp_path / "a.tif", values, predictor=predictor, order=order, tile=tile)
    np.testing.assert_array_equal(tiff_values(tmp_path / "a.tif"), values)
    assert read_image(tmp_path / "a.tif").pixels.shape == (24, 33, 3)
    if bands == 1:
        np.testing.assert_array_equal(read_labels(tmp_path / "a.tif")[0], values[..., 0])


@pytest.mark.parametrize("compression", ["deflate", "packbits", "lzma", None])
def test_what_tifffile_decodes_itself(tmp_path, compression):
    values = RNG.integers(0, 200, (24, 33)).astype(np.int64)
    try:
        tifffile.imwrite(tmp_path / "a.tif", values, compression=compression)
    except (ValueError, KeyError) as error:
        pytest.skip(str(error))
    np.testing.assert_array_equal(tiff_values(tmp_path / "a.tif")[..., 0], values)


@pytest.mark.parametrize("compression", ["zstd", "lzma", "packbits", "tiff_lzw"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
def test_what_libtiff_writes(tmp_path, compression, dtype):
    values = RNG.integers(0, 200, (24, 33)).astype(dtype)
    try:
        Image.fromarray(values).save(tmp_path / "a.tif", compression=compression)
    except OSError as error:  # an older Pillow brings a libtiff without it
        pytest.skip(f"not written by the test's writer: {error}")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif")[0], values)
