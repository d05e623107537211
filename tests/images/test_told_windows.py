"""Black and white that the file or the caller says, instead of the rule."""

import numpy as np
import pytest
import tifffile

from saccade import InputError
from saccade.images import read_array, read_image
from saccade.images.describe import window_shown
from saccade.images.image import Image

VALUES = np.array([[100, 150, 350, 510, 900]], np.uint16)


def test_the_caller_overrules_the_rule():
    read = read_array(VALUES, window=(100, 510))
    assert read.pixels[0, :, 0].tolist() == [0, 31, 155, 255, 255]
    assert read.remarks == ("values 100 to 510 were stretched to 0..255, as you said",)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.int8])
def test_every_type_has_a_window(dtype):
    values = np.array([[10, 20, 30, 40]], dtype)
    assert read_array(values, window=(20, 30)).pixels[0, :, 0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize(
    "window", [(5, 5), (9, 3), (0, np.nan), (0, np.inf), (1,), (1, 2, 3), "ab"]
)
def test_what_is_no_window(window):
    with pytest.raises(InputError, match=r"window .* expected"):
        read_array(VALUES, window=window)


def test_nan_stays_black_in_a_window():
    read = read_array(np.array([[np.nan, 1.0, 3.0, np.inf]]), window=(1, 3))
    assert read.pixels[0, :, 0].tolist() == [0, 0, 255, 0]
    assert "2 pixels without a value" in read.remarks[1]


def imagej(path, **said):
    tifffile.imwrite(path, VALUES, imagej=True, metadata=said)


def test_the_display_range_of_imagej_counts(tmp_path):
    imagej(tmp_path / "a.tif", min=100.0, max=510.0)
    read = read_image(tmp_path / "a.tif")
    assert read.pixels[0, :, 0].tolist() == [0, 31, 155, 255, 255]
    assert read.remarks == ("values 100 to 510 were stretched to 0..255, as the file said",)
    told = read_image(tmp_path / "a.tif", window=(100, 900))
    assert told.pixels[0, :, 0].tolist() == [0, 16, 80, 131, 255]
    assert told.remarks == ("values 100 to 900 were stretched to 0..255, as you said",)


@pytest.mark.parametrize("said", [{"min": 5.0, "max": 5.0}, {"min": 9.0, "max": 2.0}])
def test_a_display_range_of_no_width_does_not(tmp_path, said):
    imagej(tmp_path / "a.tif", **said)
    assert read_image(tmp_path / "a.tif").remarks == (
        "16-bit values 100 to 900 were stretched to 0..255",
    )


def test_significant_bits_of_ome_are_white(tmp_path):
    values = np.array([[0, 1000, 2000, 4095]], np.uint16)
    tifffile.imwrite(tmp_path / "a.ome.tif", values, metadata={"SignificantBits": 12})
    read = read_image(tmp_path / "a.ome.tif")
    assert read.pixels[0, :, 0].tolist() == [0, 62, 125, 255]
    assert read.remarks == ()


def test_where_a_window_comes_from():
    image = Image(np.stack([VALUES, VALUES * 2]), "CYX")
    assert window_shown(image).pairs == ((100, 900), (200, 1800))
    assert window_shown(image).origin == "values"
    assert window_shown(Image(np.array([[0, 65535]], np.uint16), "YX")).origin == "type"
    said = Image(VALUES, "YX", window=((1.0, 7.0),))
    assert (window_shown(said).pairs, window_shown(said).origin) == (((1.0, 7.0),), "file")
    assert window_shown(Image(np.full((2, 2), np.nan), "YX")).pairs == ()
    large = Image(np.broadcast_to(np.float32(7), (9000, 9000)), "YX")
    assert window_shown(large).sampled == "the middle 4096 x 4096 pixels"
