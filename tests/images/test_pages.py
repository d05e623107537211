"""Files of several pages, frames, planes or sizes: the first is read, and it is said."""

import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.images import image_size, load_image, read_image, read_labels

RNG = np.random.default_rng(0)
STACK = RNG.integers(0, 256, (5, 24, 33), dtype=np.uint8)
COLORS = RNG.integers(0, 256, (3, 24, 33, 3), dtype=np.uint8)


def tiff_pages(path):
    tifffile.imwrite(path / "a.tif", STACK, photometric="minisblack")
    return "a.tif", 5


def tiff_pages_of_any_size(path):
    with tifffile.TiffWriter(path / "a.tif") as file:
        for page in (STACK[0], STACK[1, :10, :30], STACK[2]):
            file.write(page, photometric="minisblack")
    return "a.tif", 3


def many_pages(path):
    with tifffile.TiffWriter(path / "a.tif") as file:
        for i in range(90):
            file.write(STACK[i % 5], photometric="minisblack")
    return "a.tif", 90


def imagej_hyperstack(path):
    data = np.stack([STACK, STACK])[:, None]  # T, Z, C, Y, X of one page in the directory
    data = np.moveaxis(data, 1, 2)
    tifffile.imwrite(path / "a.tif", data, imagej=True, metadata={"axes": "TZCYX"})
    return "a.tif", 10


def ome_hyperstack(path):
    data = np.stack([STACK, STACK])
    tifffile.imwrite(path / "a.ome.tif", data, ome=True, metadata={"axes": "CZYX"})
    return "a.ome.tif", 10


def contiguous_stack(path):
    tifffile.imwrite(path / "a.tif", STACK, photometric="minisblack", contiguous=True)
    return "a.tif", 5


def truncated_stack(path):
    writing = {"metadata": {"axes": "ZYX"}, "photometric": "minisblack"}
    with tifffile.TiffWriter(path / "a.tif") as file:
        file.write(STACK, **writing)
    return "a.tif", 5


def volume(path):
    tifffile.imwrite(path / "a.tif", STACK, photometric="minisblack", volumetric=True)
    return "a.tif", 5


def two_channels(path):
    tifffile.imwrite(path / "a.tif", STACK[:2].astype(np.uint16) * 257)
    return "a.tif", 2


TIFFS = (
    tiff_pages,
    tiff_pages_of_any_size,
    many_pages,
    imagej_hyperstack,
    ome_hyperstack,
    contiguous_stack,
    truncated_stack,
    volume,
    two_channels,
)


@pytest.mark.parametrize("make", TIFFS)
def test_the_first_page_of_a_tiff(tmp_path, make):
    name, count = make(tmp_path)
    found = read_image(tmp_path / name)
    np.testing.assert_array_equal(found.pixels[..., 0], STACK[0])
    assert found.remarks == (f"the first of {count} pages",)
    assert image_size(tmp_path / name) == (24, 33)
    labels, remarks = read_labels(tmp_path / name)
    np.testing.assert_array_equal(labels // (257 if make is two_channels else 1), STACK[0])
    assert remarks == found.remarks


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "avif", "tif"])
def test_the_first_frame(tmp_path, suffix):
    frames = [Image.fromarray(frame) for frame in COLORS]
    options = {"lossless": True} if suffix == "webp" else {}
    path = tmp_path / f"a.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    found = read_image(path)
    if suffix not in ("avif", "gif"):
        np.testing.assert_array_equal(found.pixels, COLORS[0])
    assert found.remarks == (f"the first of 3 {'pages' if suffix == 'tif' else 'frames'}",)


def test_the_first_of_the_pictures_of_a_stereo_camera(tmp_path):
    frames = [Image.fromarray(frame) for frame in COLORS]
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.jpg").remarks == ("the first of 3 images",)


def test_the_largest_of_the_sizes_of_an_icon(tmp_path):
    Image.fromarray(np.tile(COLORS[0], (3, 2, 1))[:64, :64]).save(
        tmp_path / "a.ico", sizes=[(16, 16), (64, 64)]
    )
    found = read_image(tmp_path / "a.ico")
    assert found.pixels.shape == (64, 64, 3)
    assert found.remarks == ("the largest of 2 sizes",)


@pytest.mark.parametrize("flag", [0, 1])
@pytest.mark.parametrize("nested", [False, True])
def test_smaller_levels_of_a_pyramid_are_no_pages(tmp_path, nested, flag):
    large = np.kron(STACK[0], np.ones((4, 4), np.uint8))
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(large, photometric="minisblack", subifds=2 if nested else 0)
        for step in (2, 4):
            kind = 1 if nested else flag
            file.write(large[::step, ::step], subfiletype=kind, photometric="minisblack")
    found = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(found.pixels[..., 0], large)
    assert found.remarks == ()


@pytest.mark.parametrize("compression", [None, "jpeg"])
def test_a_preview_before_the_image_is_not_it(tmp_path, compression):
    preview, image = Image.fromarray(COLORS[0][::2, ::2]), Image.fromarray(COLORS[0] // 8 * 8)
    preview.save(
        tmp_path / "a.tif",
        compression=compression,
        tiffinfo={254: 1},
        save_all=True,
        append_images=[image],
    )
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        if 254 in file.pages[1].tags:
            file.pages[1].tags[254].overwrite(0)
    assert load_image(tmp_path / "a.tif").shape == (24, 33, 3)
    assert image_size(tmp_path / "a.tif") == (24, 33)


def test_masks_of_transparency_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(COLORS[0], photometric="rgb")
        file.write(STACK[0] > 9, subfiletype=4)
    assert read_image(tmp_path / "a.tif").remarks == ()


@pytest.mark.parametrize("images", [b"images=x", b"images=0"])
def test_descriptions_that_make_no_sense_are_said(tmp_path, images):
    imagej_hyperstack(tmp_path)
    content = (tmp_path / "a.tif").read_bytes()
    (number,) = re.findall(rb"images=\d+", content)
    path = tmp_path / "b.tif"
    path.write_bytes(content.replace(number, images.ljust(len(number))))
    remarks = read_image(path).remarks
    assert remarks[0].startswith("the first of ")
    assert ("makes no sense" in remarks[-1]) == (images == b"images=x")
