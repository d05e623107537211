"""Label images of every type and layout: strokes and masks get the values that were written."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.annotations import read_any_strokes
from saccade.data.sets import read_values
from saccade.errors import InputError
from saccade.formats.masks import read_annotation, read_mask
from saccade.images import read_labels
from tests.images.tiff_writer import write_bits, write_lzw

LABELS = np.zeros((40, 50), np.int64)
LABELS[5:9, 3:40], LABELS[30:36, 8:44] = 1, 2
TYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
TYPES += ("float16", "float32", "float64")
LAYOUTS = {
    "plain": {},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True},
    "tiled": {"tile": (16, 16)},
    "deflate": {"compression": "deflate"},
    "deflate-predictor": {"compression": "deflate", "predictor": True},
    "min-is-white": {"photometric": "miniswhite"},
    "min-is-black": {"photometric": "minisblack"},
    "many": {},
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("layout", [*LAYOUTS, "lzw", "lzw-predictor"])
def test_tiff_of_every_type_and_layout(tmp_path, layout, dtype):
    values = (LABELS > 0 if dtype == "bool" else LABELS).astype(dtype)
    path = tmp_path / "a.tif"
    if layout.startswith("lzw"):
        if dtype in ("bool", "float16"):
            pytest.skip("not written by the test's writer")
        predictor = 1 if "predictor" not in layout else 3 if dtype.startswith("float") else 2
        write_lzw(path, values[..., None], predictor=predictor)
    else:
        options = dict(LAYOUTS[layout])
        if dtype in ("bool", "int64", "uint64") or dtype.startswith("float"):
            options.pop("predictor", None)
        if dtype == "bool":
            options.pop("tile", None)
        stack = np.stack([values, 0 * values]) if layout == "many" else values
        if layout == "many":
            options["photometric"] = "minisblack"
        try:
            tifffile.imwrite(path, stack, **options)
        except NotImplementedError as error:  # an older tifffile does not compress single bits
            pytest.skip(f"not written by the test's writer: {error}")
    mask = read_annotation(path)
    np.testing.assert_array_equal(mask.labels, values.astype(int))
    assert any("first of 2" in line for line in mask.remarks) == (layout == "many")
    np.testing.assert_array_equal(read_values(path), values.astype(int))
    if dtype != "bool":
        strokes = read_any_strokes(path, unlabeled=0)
        np.testing.assert_array_equal(strokes.labels == strokes.unlabeled, LABELS == 0)
        assert strokes.classes == (1, 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [0.5, np.nan, np.inf, 1e-6])
def test_fractions_are_no_labels(tmp_path, dtype, value):
    values = LABELS.astype(dtype)
    values[0, 0] = value
    tifffile.imwrite(tmp_path / "a.tif", values)
    for read in (read_mask, read_any_strokes, read_labels, read_values):
        with pytest.raises(InputError, match=r"a\.tif: .*expected whole numbers"):
            read(tmp_path / "a.tif")


@pytest.mark.parametrize("value", [2**31, 2**40, 2**63])
@pytest.mark.parametrize("dtype", ["uint64", "float64"])
def test_huge_labels_are_refused(tmp_path, dtype, value):
    values = LABELS.astype(dtype)
    values[0, 0] = value
    tifffile.imwrite(tmp_path / "a.tif", values)
    for read in (read_mask, read_any_strokes):
        with pytest.raises(InputError, match=r"a\.tif"):
            read(tmp_path / "a.tif")


def test_negative_labels(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", (LABELS - 1).astype(np.int8))
    with pytest.raises(InputError, match=r"a\.tif.*0 and above"):
        read_mask(tmp_path / "a.tif")
    assert read_any_strokes(tmp_path / "a.tif", unlabeled=-1).classes == (0, 1)


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits(tmp_path, bits, photometric):
    values = LABELS % 2**bits
    write_bits(tmp_path / "a.tif", values, bits, photometric=photometric)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), values)
    remarks = read_annotation(tmp_path / "a.tif").remarks
    assert any("not inverted" in line for line in remarks) == (photometric == 0)


@pytest.mark.parametrize("compression", ["group4", "group3", "tiff_ccitt", "tiff_lzw", None])
def test_black_and_white_of_pillow(tmp_path, compression):
    Image.fromarray(LABELS > 0).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), LABELS > 0)


@pytest.mark.parametrize("suffix", ["png", "tif", "gif", "bmp", "tga", "pcx"])
def test_indices_of_palettes(tmp_path, suffix):
    image = Image.fromarray(LABELS.astype(np.uint8))
    image.putpalette([90, 10, 10, 10, 90, 10, 10, 10, 90] + [0] * 759)
    path = tmp_path / f"a.{suffix}"
    image.save(path, **({"optimize": False} if suffix == "gif" else {}))
    np.testing.assert_array_equal(read_mask(path), LABELS)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tga", "pgm", "tif", "pcx"])
def test_grey_values(tmp_path, suffix):
    Image.fromarray(LABELS.astype(np.uint8)).save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"a.{suffix}"), LABELS)


@pytest.mark.parametrize("suffix", ["png", "pgm", "tif", "jp2"])
def test_grey_values_of_16_bits(tmp_path, suffix):
    values = (LABELS * 300).astype(np.uint16)
    if suffix == "pgm":
        cv2.imwrite(str(tmp_path / "a.pgm"), values)
    else:
        Image.fromarray(values).save(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read_mask(tmp_path / f"a.{suffix}"), values)


@pytest.mark.parametrize("white", [2, 15, 254, 255, 300, 65535])
@pytest.mark.parametrize("plain", [False, True])
def test_pgm_of_any_white(tmp_path, white, plain):
    kind, dtype = ("P2", None) if plain else ("P5", ">u2" if white > 255 else "u1")
    head = f"{kind}\n# a comment\n50 40\n{white}\n".encode()
    numbers = " ".join(str(v) for v in LABELS.ravel())
    body = numbers.encode() if plain else LABELS.astype(dtype).tobytes()
    (tmp_path / "a.pgm").write_bytes(head + body)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.pgm"), LABELS)


def test_a_palette_tiff_of_4_bits(tmp_path):
    write_bits(tmp_path / "a.tif", LABELS, 4, photometric=3)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), LABELS)


def test_a_band_beside_the_labels_is_not_used(tmp_path):
    values = np.stack([LABELS, LABELS + 7]).astype(np.uint16)
    options = {"photometric": "minisblack", "planarconfig": "separate"}
    tifffile.imwrite(tmp_path / "a.tif", values, **options)
    labels, remarks = read_labels(tmp_path / "a.tif")
    np.testing.assert_array_equal(labels, LABELS)
    assert remarks == ("band 2 of 2 is not used",)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_colors_are_no_labels(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((9, 8, 3), dtype), photometric="rgb")
    with pytest.raises(InputError, match=r"a\.tif: .*colours"):
        read_mask(tmp_path / "a.tif")


def test_another_size_is_refused_before_anything_is_decoded(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", LABELS)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", None)
    with pytest.raises(InputError, match="50 x 40"):
        read_mask(tmp_path / "a.tif", shape=(7, 7))


def test_labels_are_turned_as_their_image_is(tmp_path):
    tags = [(274, "H", 1, 6, True)]
    tifffile.imwrite(tmp_path / "a.tif", LABELS, extratags=tags)
    np.testing.assert_array_equal(
        read_mask(tmp_path / "a.tif", shape=(50, 40)), np.rot90(LABELS, -1)
    )
