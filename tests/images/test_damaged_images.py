"""Image files that are damaged, too large or no images at all."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.errors import InputError
from saccade.images import header, load_image

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(*np.ogrid[0:160:20, 0:200:20], 90), -1).astype(np.uint8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_truncated_files_are_one_line(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    data = path.read_bytes()
    for share in (0.02, 0.3, 0.9):
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(InputError, match=f"a.{suffix}") as caught:
            load_image(path)
        assert "\n" not in str(caught.value)


def test_float_tiff_whose_data_is_gone(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9, 3), np.float32), photometric="rgb")
    # What tifffile does with some damaged directories.
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda page: np.zeros((0,), np.float32))
    with pytest.raises(InputError, match=r"a\.tif.*no pixel data"):
        load_image(tmp_path / "a.tif")


def test_damaged_png_data_is_refused(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    data = bytearray(path.read_bytes())
    data[2000:2100] = bytes(100)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged"):
        load_image(path)


def test_random_bytes_behind_image_headers(tmp_path):
    for i, magic in enumerate([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM", b"GIF89a"]):
        path = tmp_path / f"{i}.png"
        path.write_bytes(magic + RNG.bytes(300))
        with pytest.raises(InputError, match=path.name):
            load_image(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.png", b"hello, this is no image", "not an image"),
        ("empty.png", b"", "empty"),
        ("gone.png", None, "no such file"),
    ],
)
def test_files_that_are_no_image_are_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name}.*{message}"):
        load_image(tmp_path / name)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        load_image(tmp_path)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def test_decompression_bombs_are_refused(tmp_path):
    (tmp_path / "bomb.png").write_bytes(png_header(20_001, 20_000))
    with pytest.raises(InputError, match=r"bomb\.png.*400 megapixels"):
        load_image(tmp_path / "bomb.png")


def test_image_above_pillows_own_warning_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    Image.fromarray(RGB).save(tmp_path / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png"), RGB)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_an_image_of_24_megapixels_is_read(tmp_path):
    Image.new("1", (6000, 4000), 1).save(tmp_path / "a.png")
    image = load_image(tmp_path / "a.png")
    assert image.shape == (4000, 6000, 3)
    assert image[-1, -1].tolist() == [255, 255, 255]


def test_pixel_limit_for_tiffs_that_pillow_cannot_read(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 20, 3), np.float32), photometric="rgb")
    monkeypatch.setattr(header, "MAX_PIXELS", 399)
    with pytest.raises(InputError, match="20 x 20"):
        load_image(tmp_path / "a.tif")
