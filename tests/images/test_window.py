"""Intensities that leave most of their range unused, by the one rule for files and arrays."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.errors import InputError
from saccade.images import as_rgb, load_image, read_array, read_image

RNG = np.random.default_rng(0)
PICTURE = RNG.uniform(0.1, 0.9, (96, 128))
PICTURE[0, :2] = 0, 1
SHADES = np.rint(PICTURE * 255)
INTEGERS = ("uint16", "int16", "uint32", "int32", "uint64", "int64", "int8")
FLOATS = ("float16", "float32", "float64")


def counts(dtype: str) -> np.ndarray:
    low, high = (-100, 100) if dtype == "int8" else (100, 400)
    return np.rint(low + PICTURE * (high - low)).astype(dtype)


def by_array(path, values):
    return read_array(values)


def by_tiff(path, values):
    tifffile.imwrite(path / "a.tif", values, photometric="minisblack")
    return read_image(path / "a.tif")


def by_big_endian_tiff(path, values):
    tifffile.imwrite(path / "a.tif", values, photometric="minisblack", byteorder=">", bigtiff=True)
    return read_image(path / "a.tif")


def by_png(path, values):
    Image.fromarray(values).save(path / "a.png")
    return read_image(path / "a.png")


def by_pgm(path, values):
    cv2.imwrite(str(path / "a.pgm"), values)
    return read_image(path / "a.pgm")


def by_jpeg2000(path, values):
    Image.fromarray(values).save(path / "a.jp2")
    return read_image(path / "a.jp2")


ROUTES = (by_array, by_tiff, by_big_endian_tiff)
WIDE_ROUTES = (*ROUTES, by_png, by_pgm, by_jpeg2000)


@pytest.mark.parametrize("dtype", INTEGERS + FLOATS)
@pytest.mark.parametrize("route", ROUTES)
def test_dim_values_of_every_type_are_stretched_and_it_is_said(tmp_path, route, dtype):
    found = route(tmp_path, counts(dtype))
    assert np.abs(found.pixels[..., 0] - SHADES).max() <= 1
    span = "-100 to 100" if dtype == "int8" else "100 to 400"
    assert any(f"{span} were stretched to 0..255" in line for line in found.remarks)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15])
@pytest.mark.parametrize("route", WIDE_ROUTES)
def test_unused_upper_bits(tmp_path, route, bits):
    found = route(tmp_path, np.rint(PICTURE * (2**bits - 1)).astype(np.uint16))
    assert np.abs(found.pixels[..., 0] - SHADES).max() <= 1
    assert found.remarks == (f"16-bit values 0 to {2**bits - 1} were stretched to 0..255",)


@pytest.mark.parametrize("route", WIDE_ROUTES)
@pytest.mark.parametrize("factor", [1, 257])
def test_full_range_and_8_bits_written_twice_stay(tmp_path, route, factor):
    dark = np.rint(PICTURE * 100).astype(np.uint16) * 257
    values = dark if factor == 257 else np.rint(PICTURE * 65535).astype(np.uint16)
    found = route(tmp_path, values)
    np.testing.assert_array_equal(found.pixels[..., 0], np.rint(values / 257))
    assert found.remarks == ()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("suffix", ["png", "tif", "ppm", "array"])
def test_dim_colors_of_16_bits(tmp_path, suffix, channels):
    if suffix == "ppm" and channels == 4:
        pytest.skip("has no transparency")
    values = RNG.integers(0, 4096, (40, 50, channels)).astype(np.uint16)
    values[..., 3:] = 65535
    path = tmp_path / f"a.{suffix}"
    if suffix == "tif":
        tifffile.imwrite(path, values, photometric="rgb")
    elif suffix != "array":
        cv2.imwrite(str(path), values[..., [2, 1, 0, 3][:channels]])
    found = read_array(values) if suffix == "array" else read_image(path)
    lowest, highest = values[..., :3].min(), values[..., :3].max()
    expected = (values[..., :3].astype(float) - lowest) / (highest - lowest) * 255
    assert np.abs(found.pixels - expected).max() <= 1
    assert "stretched" in found.remarks[0]


def test_dim_grey_with_transparency_in_a_png(tmp_path):
    row = np.array([[100, 65535], [250, 65535], [400, 65535], [9, 0]], ">u2")
    data = b"\0" + row.tobytes()
    write_png(tmp_path / "a.png", 4, 1, 16, 4, data)
    assert load_image(tmp_path / "a.png")[0, :, 0].tolist() == [0, 128, 255, 255]


def write_png(path, width, height, bits, kind, data, key=b""):
    import struct
    import zlib

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    parts = chunk(b"IHDR", head) + (chunk(b"tRNS", key) if key else b"")
    parts += chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


@pytest.mark.parametrize("kind", ["uint8", "bool", "float32", "float64"])
@pytest.mark.parametrize("route", ROUTES)
def test_8_bits_booleans_and_floats_from_0_to_1_stay(tmp_path, route, kind):
    dim = PICTURE * 0.3
    if kind == "uint8":
        values = np.rint(dim * 255).astype(np.uint8)
        expected: np.ndarray = values
    elif kind == "bool":
        values = PICTURE > 0.5
        expected = values * 255
    else:
        values = dim.astype(kind)
        expected = np.rint(values * 255)
    found = route(tmp_path, values)
    np.testing.assert_array_equal(found.pixels[..., 0], expected)
    assert found.remarks == ()


def test_floats_from_0_to_1_that_would_be_black_are_stretched():
    found = read_array((counts("uint16") / 65535).astype(np.float32))
    assert np.abs(found.pixels[..., 0] - SHADES).max() <= 1


@pytest.mark.parametrize("hot", [1, 20])
@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32", "float64"])
@pytest.mark.parametrize("route", ROUTES)
def test_hot_pixels_are_cut_off_and_counted(tmp_path, route, dtype, hot):
    values = counts(dtype)
    values.ravel()[5 : 5 + hot] = 65535 if dtype == "uint16" else 10**7
    found = route(tmp_path, values)
    assert np.abs(found.pixels[..., 0] - SHADES).ravel()[100:].max() <= 1
    assert any(line.startswith(f"{hot} value") for line in found.remarks)


NOTHING = {
    "nan": (np.nan, None),
    "infinity": (np.inf, None),
    "float-minimum": (np.finfo(np.float32).min, None),
    "netcdf": (9.96921e36, None),
    "tagged": (-9999.0, "-9999"),
    "tagged-float": (np.finfo(np.float32).min, "-3.4028234663852886e+38"),
    "tagged-nan": (np.nan, "nan"),
}


@pytest.mark.parametrize("name", NOTHING)
@pytest.mark.parametrize("share", ["one", "third"])
def test_what_is_no_value_is_left_out_filled_and_counted(tmp_path, name, share):
    value, tag = NOTHING[name]
    values = counts("float32")
    gap = np.s_[50:51, 60:61] if share == "one" else np.s_[:, :40]
    values[gap] = value
    tags = [(42113, "s", 0, tag, True)] if tag else []
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", extratags=tags)
    found = read_image(tmp_path / "a.tif")
    expected = SHADES.copy()
    expected[gap] = 0
    assert np.abs(found.pixels[..., 0] - expected).max() <= (1 if share == "one" else 30)
    assert not found.pixels[gap].any()
    count = values[gap].size
    assert any(line.startswith(f"{count} pixel") for line in found.remarks)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "int32"])
def test_tagged_integers_are_left_out(tmp_path, dtype):
    values = counts(dtype)
    missing = 65535 if dtype == "uint16" else -9999
    values[:, :40] = missing
    tags = [(42113, "s", 0, str(missing), True)]
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", extratags=tags)
    found = read_image(tmp_path / "a.tif")
    assert not found.pixels[:, :40].any()
    assert found.pixels[:, 40:].std() > 50
    assert any(line.startswith(f"{96 * 40} pixels without a value") for line in found.remarks)


def test_masked_pixels_of_an_array_are_left_out():
    values = np.ma.masked_array(counts("uint16"), mask=np.zeros((96, 128), bool))
    values[:, :40] = np.ma.masked
    values.data[:, :40] = 60000
    found = read_array(values)
    assert not found.pixels[:, :40].any()
    assert found.pixels[:, 40:].std() > 50


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, np.finfo(np.float32).max])
def test_nothing_but_gaps_is_refused(tmp_path, value):
    with pytest.raises(InputError, match="expected some numbers"):
        as_rgb(np.full((4, 5), value, np.float32))
    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 5), value, np.float32))
    with pytest.raises(InputError, match=r"a\.tif: .*expected some numbers"):
        load_image(tmp_path / "a.tif")


def test_complex_numbers_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 5), np.complex64))
    with pytest.raises(InputError, match=r"a\.tif: .*complex64"):
        load_image(tmp_path / "a.tif")


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32"])
def test_constant_images_are_read(dtype):
    assert read_array(np.full((4, 5), 3, dtype)).pixels.max() == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_the_transparent_color_of_a_wide_png(tmp_path, channels):
    values = RNG.integers(0, 65536, (6, 9, channels)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    write_png(tmp_path / "a.png", 9, 6, 16, 0 if channels == 1 else 2, rows, values[0, 0].tobytes())
    found = load_image(tmp_path / "a.png")
    assert found[0, 0].tolist() == [255, 255, 255]
    expected = np.broadcast_to(np.rint(values / 257), (6, 9, 3))
    np.testing.assert_array_equal(found[1:], expected[1:])


def test_jpeg_2000_says_that_wide_colors_are_cut(tmp_path):
    values = RNG.integers(0, 65536, (32, 48, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.jp2"), values)
    assert read_image(tmp_path / "a.jp2").remarks == ("colors of 16 bits were cut to 8",)
    cv2.imwrite(str(tmp_path / "b.jp2"), (values >> 8).astype(np.uint8))
    assert read_image(tmp_path / "b.jp2").remarks == ()
