"""Arrays of every kind as 8-bit RGB."""

import numpy as np
import pytest

from saccade.errors import InputError
from saccade.images import as_rgb

RNG = np.random.default_rng(0)


def test_rgb_is_kept():
    image = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(as_rgb(image), image)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
def test_gray_becomes_three_equal_channels(shape):
    image = RNG.integers(0, 256, shape, dtype=np.uint8)
    rgb = as_rgb(image)
    assert rgb.shape == (4, 5, 3)
    for channel in range(3):
        np.testing.assert_array_equal(rgb[..., channel], image.reshape(4, 5))


def test_16_bits_are_rounded_not_cut():
    image = np.array([[0, 128, 129, 257, 65535 - 129, 65535 - 128, 65535]], dtype=np.uint16)
    assert as_rgb(image)[0, :, 0].tolist() == [0, 0, 1, 1, 254, 255, 255]


def test_every_8_bit_value_survives_16_bits():
    values = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(as_rgb(values.astype(np.uint16) * 257), as_rgb(values))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_rounded_to_8_bits(dtype):
    image = np.array([[0.0, 0.25, 0.5, 1.0]], dtype=dtype)
    assert as_rgb(image)[0, :, 0].tolist() == [0, 64, 128, 255]


def test_floats_may_leave_the_range_by_rounding_errors():
    assert as_rgb(np.array([[-1e-7, 1 + 1e-6]]))[0, :, 0].tolist() == [0, 255]


def test_booleans_are_black_and_white():
    assert as_rgb(np.array([[False, True]]))[0].tolist() == [[0, 0, 0], [255, 255, 255]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_alpha_is_composited_over_white(dtype):
    white = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    rgba = np.array([[[1, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]], dtype=np.float64) * white
    assert as_rgb(rgba.astype(dtype))[0].tolist() == [[255, 0, 0], [255, 255, 255], [255] * 3]


def test_half_transparent_pixels_are_half_white():
    rgba = np.array([[[0, 100, 255, 128]]], dtype=np.uint8)
    expected = np.rint(np.array([0, 100, 255]) * 128 / 255 + 255 * (1 - 128 / 255))
    assert as_rgb(rgba)[0, 0].tolist() == expected.tolist()


def test_lists_and_views_are_taken():
    image = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(as_rgb(image[::2, ::-1]), image[::2, ::-1])
    assert as_rgb([[True, False]]).shape == (1, 2, 3)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 5, 2), np.uint8), r"\(4, 5, 2\)"),
        (np.zeros((3, 5, 7), np.uint8), "channels come last"),
        (np.zeros(5, np.uint8), r"\(5,\)"),
        (np.zeros((1, 4, 5, 3), np.uint8), r"\(1, 4, 5, 3\)"),
        (np.zeros((0, 5, 3), np.uint8), "no pixels"),
        (np.zeros((4, 5), np.complex64), "complex64"),
        (np.array([["a"]]), "data type"),
        (np.full((4, 5), np.nan), "NaN"),
        (np.full((4, 5), np.inf), "infinite"),
    ],
)
def test_what_is_no_image_is_refused(array, message):
    with pytest.raises(InputError, match=message) as caught:
        as_rgb(array)
    assert "\n" not in str(caught.value)
