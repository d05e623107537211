"""Bands of a TIFF: which are colours, which is alpha, and which are left out and said to be."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.images import read_image
from tests.images.tiff_writer import write_bits

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (24, 33, 3), dtype=np.uint8)
RGB[0, 0], RGB[0, 1] = 0, 255
WHITE = {"uint8": 255, "uint16": 65535, "uint32": 2**32 - 1, "float32": 1, "float64": 1}
LAYOUTS = {
    "contiguous": {},
    "planar": {"planarconfig": "separate"},
    "tiled": {"tile": (16, 16)},
    "planar-tiled": {"planarconfig": "separate", "tile": (16, 16)},
    "deflate": {"compression": "deflate", "predictor": True},
    "big-endian": {"byteorder": ">", "bigtiff": True},
}


def write(path, bands, dtype, layout, *, extras=(), photometric="rgb"):
    values = (np.dstack(bands).astype(np.float64) / 255 * WHITE[dtype]).astype(dtype)
    if "planar" in layout:
        values = np.moveaxis(values, -1, 0)
    options = {"planarconfig": "contig", **LAYOUTS[layout]}
    if dtype.startswith("float"):
        options.pop("predictor", None)
    tifffile.imwrite(
        path, values, photometric=photometric, extrasamples=list(extras) or None, **options
    )


@pytest.mark.parametrize("dtype", WHITE)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("more", [0, 1, 2, 4])
def test_bands_that_nobody_explains_are_not_used(tmp_path, more, layout, dtype):
    others = [np.full((24, 33), 77)] * more
    write(tmp_path / "a.tif", [RGB, *others], dtype, layout, extras=["unspecified"] * more)
    found = read_image(tmp_path / "a.tif")
    assert np.abs(found.pixels.astype(int) - RGB).max() <= 1
    said = [line for line in found.remarks if line.startswith("band")]
    assert len(said) == (more > 0)
    if more == 1:
        assert said == ["band 4 is not used (unspecified extra sample, no alpha)"]
    if more == 4:
        assert "bands 4 to 7 are not used" in said[0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_alpha_is_laid_over_white(tmp_path, kind, channels, layout, dtype):
    alpha = np.full((24, 33, 1), 255)
    alpha[:, :10], alpha[:, 10:20] = 0, 128
    colors = RGB[..., :channels]
    stored = colors * (alpha / 255) if kind == "assocalpha" else colors
    photometric = "rgb" if channels == 3 else "minisblack"
    write(
        tmp_path / "a.tif",
        [stored, alpha],
        dtype,
        layout,
        extras=[kind],
        photometric=photometric,
    )
    found = read_image(tmp_path / "a.tif")
    expected = np.broadcast_to(colors * (alpha / 255) + 255 - alpha, (24, 33, 3))
    assert np.abs(found.pixels - expected).max() <= 2
    assert not any("band" in line for line in found.remarks)


@pytest.mark.parametrize("dtype", WHITE)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [2, 4, 6])
def test_grey_with_more_bands(tmp_path, count, layout, dtype):
    bands = [*np.moveaxis(RGB, -1, 0), *[np.full((24, 33), 9)] * 3][:count]
    write(
        tmp_path / "a.tif",
        bands,
        dtype,
        layout,
        extras=["unspecified"] * (count - 1),
        photometric="minisblack",
    )
    found = read_image(tmp_path / "a.tif")
    expected = RGB if count > 2 else np.repeat(RGB[..., :1], 3, 2)
    assert np.abs(found.pixels.astype(int) - expected).max() <= 1
    said = [line for line in found.remarks if line.startswith("band")]
    wanted = {2: ["band 2 is"], 4: ["bands 1 to 3 were taken", "band 4 is"]}
    for line, start in zip(said, wanted.get(count, ["bands 1 to 3", "bands 4 to 6"]), strict=True):
        assert line.startswith(start)


def test_near_infrared_before_alpha(tmp_path):
    alpha = np.full((24, 33), 255)
    alpha[:, :9] = 0
    bands = [RGB, np.full((24, 33), 77), alpha]
    write(tmp_path / "a.tif", bands, "uint16", "contiguous", extras=["unspecified", "unassalpha"])
    found = read_image(tmp_path / "a.tif")
    assert (found.pixels[:, :9] == 255).all()
    np.testing.assert_array_equal(found.pixels[:, 9:], RGB[:, 9:])
    assert found.remarks == ("band 4 is not used (unspecified extra sample, no alpha)",)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_fourth_band_without_a_word_is_no_alpha(tmp_path, dtype):
    write(tmp_path / "a.tif", [RGB, np.zeros((24, 33))], dtype, "contiguous", extras=["unassalpha"])
    data = bytearray((tmp_path / "a.tif").read_bytes())
    place = data.index(b"\x52\x01\x03\x00\x01\x00\x00\x00\x02\x00")  # tag 338, one short, 2
    data[place : place + 2] = (65_000).to_bytes(2, "little")
    (tmp_path / "a.tif").write_bytes(bytes(data))
    found = read_image(tmp_path / "a.tif")
    assert np.abs(found.pixels.astype(int) - RGB).max() <= 1
    assert any(line.startswith("band 4 is not used") for line in found.remarks)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "bool", "float32"])
def test_small_is_bright(tmp_path, dtype):
    grey = RGB[..., 0] > 99 if dtype == "bool" else (RGB[..., 0] / 255 * WHITE[dtype]).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="miniswhite")
    shown = grey * 255 if dtype == "bool" else RGB[..., 0]
    found = read_image(tmp_path / "a.tif")
    assert np.abs(found.pixels[..., 0].astype(int) - (255 - shown)).max() <= 1


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_packed_bits_have_a_white_of_their_own(tmp_path, bits):
    values = np.rint(RGB[..., 0] / 255 * (2**bits - 1)).astype(np.uint16)
    write_bits(tmp_path / "a.tif", values, bits)
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.pixels[..., 0], RGB[..., 0])
    assert found.remarks == ()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_reach_from_black_to_white(tmp_path, bits):
    values = (RGB[..., 0] >> (8 - bits)).astype(bool if bits == 1 else np.uint8)
    write_bits(tmp_path / "a.tif", values, bits)
    expected = values.astype(int) * 255 // (2**bits - 1)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").pixels[..., 1], expected)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", None, "packbits"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "CMYK", "P"])
def test_tiffs_of_pillow(tmp_path, mode, compression):
    image = Image.fromarray(RGB).convert(mode)
    image.save(tmp_path / "a.tif", compression=compression)
    expected = np.asarray(image.convert("RGB"))
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.pixels, expected)
    assert bool(found.remarks) == (mode == "CMYK")
