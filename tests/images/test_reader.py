"""Image files of every kind."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from saccade.errors import InputError
from saccade.images import decode_image, load_image, oriented

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(*np.ogrid[0:160:20, 0:200:20], 90), -1).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "ppm", "webp", "gif"])
def test_lossless_formats_give_the_very_pixels(tmp_path, suffix):
    image = Image.fromarray(RGB)
    options = {"lossless": True} if suffix == "webp" else {}
    image.save(tmp_path / f"a.{suffix}", **options)
    np.testing.assert_array_equal(load_image(tmp_path / f"a.{suffix}"), RGB)


def test_jpeg_and_string_path(tmp_path):
    Image.fromarray(SMOOTH).save(tmp_path / "a.jpg", quality=95)
    loaded = load_image(str(tmp_path / "a.jpg"))
    assert loaded.dtype == np.uint8
    assert np.abs(loaded.astype(int) - SMOOTH).mean() < 8


def test_the_suffix_does_not_matter(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.jpg", format="PNG")
    np.testing.assert_array_equal(load_image(tmp_path / "a.jpg"), RGB)


def test_an_image_of_one_pixel_is_read(tmp_path):
    Image.fromarray(RGB[:1, :1]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), RGB[:1, :1])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RGB).save(path, exif=exif, **options)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    assert expected.shape[0] == (9 if orientation >= 5 else 6)
    np.testing.assert_array_equal(load_image(path), expected)


def test_exif_orientation_in_jpeg(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(SMOOTH).save(tmp_path / "a.jpg", exif=exif)
    assert load_image(tmp_path / "a.jpg").shape == (10, 8, 3)


def test_orientation_out_of_range_is_ignored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 77
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), RGB)


def test_oriented_keeps_two_axes():
    assert oriented(np.zeros((2, 3)), 8).shape == (3, 2)


def test_gray_and_one_bit(tmp_path):
    Image.fromarray(RGB[..., 0]).save(tmp_path / "grey.png")
    Image.fromarray(RGB[..., 0] > 99).save(tmp_path / "bits.png")
    np.testing.assert_array_equal(load_image(tmp_path / "grey.png")[..., 2], RGB[..., 0])
    np.testing.assert_array_equal(
        load_image(tmp_path / "bits.png")[..., 1], np.where(RGB[..., 0] > 99, 255, 0)
    )


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_16_bit_gray_is_scaled_to_8(tmp_path, suffix):
    wide = RNG.integers(0, 65536, (6, 9), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), wide)
    expected = np.rint(wide / 257)
    np.testing.assert_array_equal(load_image(tmp_path / f"a.{suffix}")[..., 0], expected)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_rgb_is_scaled_to_8(tmp_path, suffix):
    wide = RNG.integers(0, 65536, (6, 9, 3), dtype=np.uint16)
    if suffix == "png":
        cv2.imwrite(str(tmp_path / "a.png"), wide[..., ::-1])
    else:
        tifffile.imwrite(tmp_path / "a.tif", wide, photometric="rgb")
    np.testing.assert_array_equal(load_image(tmp_path / f"a.{suffix}"), np.rint(wide / 257))


def test_16_bit_rgba_png(tmp_path):
    wide = RNG.integers(0, 65536, (6, 9, 4), dtype=np.uint16)
    wide[..., 3] = 65535
    wide[0, 0, 3] = 0
    cv2.imwrite(str(tmp_path / "a.png"), wide[..., [2, 1, 0, 3]])
    loaded = load_image(tmp_path / "a.png")
    assert loaded[0, 0].tolist() == [255, 255, 255]
    np.testing.assert_array_equal(loaded[1:], np.rint(wide[1:, :, :3] / 257))


def test_16_bit_rgb_tiff_planes_and_one_pixel(tmp_path):
    wide = RNG.integers(0, 65536, (3, 6, 9), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", wide, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(
        load_image(tmp_path / "a.tif"), np.rint(np.moveaxis(wide, 0, -1) / 257)
    )
    tifffile.imwrite(tmp_path / "b.tif", wide[None, None, :, 0, 0], photometric="rgb")
    assert load_image(tmp_path / "b.tif").shape == (1, 1, 3)


def test_16_bit_rgb_tiff_in_a_compression_of_pillow_only(tmp_path):
    wide = RNG.integers(0, 65536, (6, 9, 3), dtype=np.uint16)
    cv2.imwrite(str(tmp_path / "a.tif"), wide[..., ::-1])  # LZW
    error = load_image(tmp_path / "a.tif").astype(int) - np.rint(wide / 257)
    assert np.abs(error).max() <= 1  # the high byte alone


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3])
def test_float_tiffs_are_scaled_to_8_bits(tmp_path, dtype, channels):
    values = RNG.random((6, 9, channels)).astype(dtype)
    kind = "rgb" if channels == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "a.tif", values.squeeze(), photometric=kind)
    expected = np.broadcast_to(np.rint(values.astype(np.float32) * 255), (6, 9, 3))
    np.testing.assert_array_equal(load_image(tmp_path / "a.tif"), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_values_without_a_white_point_are_stretched(tmp_path, dtype):
    values = np.array([[-100, 155, 410]], dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    assert load_image(tmp_path / "a.tif")[0, :, 0].tolist() == [0, 128, 255]


def test_constant_float_tiff_does_not_divide_by_zero(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), 7.5, np.float32))
    assert load_image(tmp_path / "a.tif").max() == 0


def test_float_tiff_with_nan_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), np.nan, np.float32))
    with pytest.raises(InputError, match=r"a\.tif.*NaN"):
        load_image(tmp_path / "a.tif")


def test_transparent_pixels_are_white(tmp_path):
    rgba = np.dstack([RGB, np.full((6, 9), 255, np.uint8)])
    rgba[0, 0, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "rgba.png")
    Image.fromarray(rgba[..., [0, 3]]).save(tmp_path / "grey.png")
    expected = RGB.copy()
    expected[0, 0] = 255
    np.testing.assert_array_equal(load_image(tmp_path / "rgba.png"), expected)
    np.testing.assert_array_equal(load_image(tmp_path / "grey.png")[..., 1], expected[..., 0])


def test_transparent_palette_entries_are_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], dtype=np.uint8))
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    image.save(tmp_path / "a.png", transparency=1)
    expected = [[10, 20, 30], [255, 255, 255], [70, 80, 90]]
    assert load_image(tmp_path / "a.png")[0].tolist() == expected
    image.save(tmp_path / "b.png", transparency=bytes([255, 255, 0]))
    assert load_image(tmp_path / "b.png")[0, 2].tolist() == [255, 255, 255]


def test_a_cmyk_jpeg_is_converted(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red = load_image(tmp_path / "a.jpg")[4, 4].astype(int)
    assert red[0] > 240
    assert red[1:].max() < 15


def test_of_several_frames_the_first_is_read(tmp_path):
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    for suffix in ("tif", "png", "gif"):
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(load_image(path), RGB)


def test_decode_image_leaves_the_mode(tmp_path):
    image = Image.fromarray(np.array([[3, 7]], dtype=np.uint8))
    image.putpalette([1] * 24)
    image.save(tmp_path / "a.png")
    decoded = decode_image(tmp_path / "a.png")
    assert decoded.mode == "P"
    assert np.asarray(decoded).tolist() == [[3, 7]]
