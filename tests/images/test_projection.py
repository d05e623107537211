"""Channels and slices of every kind of file as 8-bit colors."""

import numpy as np
import pytest

from saccade import InputError
from saccade.images import Image, open_image, read_image, to_rgb
from tests.images.test_science import itk_image, write_zarr

PLANE = np.stack([np.linspace(low, low + 300, 35) for low in (100, 2000, 9, 70)], 1)
PLANE = PLANE.round().astype(np.uint16).reshape(5, 7, 4)


def test_each_channel_has_its_own_window():
    image = Image(PLANE, "YXC", channels=("a", "b"))
    read = to_rgb(image, image.plane())
    for channel in range(3):
        assert (read.pixels[..., channel].min(), read.pixels[..., channel].max()) == (0, 255)
    assert read.remarks[0] == "of 4 channels a, b and 2 were taken for colors"
    assert len(read.remarks) == 4


def test_windows_of_the_file_and_of_the_caller():
    image = Image(PLANE, "YXC", window=((0, 1000), (0, 100), (0, 400), (0, 2)))
    found = to_rgb(image, image.plane(), channels=[3, 2, 0]).pixels[0, 0]
    assert found.tolist() == [255, round(9 * 255 / 400), round(100 * 255 / 1000)]
    told = to_rgb(image, image.plane(), channels=[1], window=(2000, 2300))
    assert told.pixels[0, 0].tolist() == [0, 0, 0]
    assert told.remarks == ("values 2000 to 2300 were stretched to 0..255, as you said",)


@pytest.mark.parametrize("channels", [[4], [0, 1], [-1], []])
def test_channels_that_do_not_exist(channels):
    image = Image(PLANE, "YXC")
    with pytest.raises(InputError, match="expected one or three of 0 to 3"):
        to_rgb(image, image.plane(), channels=channels)


def test_read_image_takes_the_first_slice_of_a_volume(tmp_path):
    data = np.arange(5 * 20 * 31, dtype=np.int16).reshape(5, 20, 31)
    sitk, image = itk_image(data)
    sitk.WriteImage(image, str(tmp_path / "a.nii.gz"))
    np.save(tmp_path / "a.npy", data)
    write_zarr(tmp_path / "a.zarr", data, "zyx")
    pixels = read_image(tmp_path / "a.npy").pixels
    assert pixels[0, 0, 0] == 0
    assert pixels[-1, -1, 0] == 255
    for name in ("a.nii.gz", "a.zarr"):
        read = read_image(tmp_path / name)
        np.testing.assert_array_equal(read.pixels, pixels)
        assert read.remarks[0] == "the first of 5 pages"
    assert open_image(tmp_path / "a.zarr").plane(z=4)[0, 0, 0] == 4 * 620
