"""The one list of suffixes, and the formats that are never opened."""

import io
import subprocess
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from saccade.cli import pairs
from saccade.data.sets import pair_up
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.images import decoded_size, image_size, load_image, read_image, read_labels
from saccade.serve import pictures, uploads
from saccade.serve.settings import Limits
from saccade.suffixes import IMAGE_SUFFIXES, LABEL_SUFFIXES

RNG = np.random.default_rng(0)
SMOOTH = np.asarray(
    Image.fromarray(RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)).resize((64, 48))
)
NOT_WRITTEN = {".psd", ".mpo"}  # by Pillow from a single picture


def save(path):
    """Write a picture as a program would that goes by the suffix."""
    suffix = path.suffix.lower()
    kind = {".btf": "TIFF", ".tf8": "TIFF", ".dib": "DIB", ".jfif": "JPEG"}.get(suffix)
    image = Image.fromarray(SMOOTH)
    if suffix == ".pfm":
        cv2.imwrite(str(path), SMOOTH.astype(np.float32) / 255)
        return
    if suffix in (".pbm", ".pgm"):
        image = image.convert("1" if suffix == ".pbm" else "L")
    image.save(path, kind)


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - NOT_WRITTEN))
def test_every_suffix_of_the_list_is_read(tmp_path, suffix):
    path = tmp_path / f"a{suffix.upper()}"
    save(path)
    height, width = (36, 48) if suffix == ".ico" else (48, 64)
    assert read_image(path).pixels.shape == (height, width, 3)
    assert image_size(path) == decoded_size(path) == (height, width)
    assert uploads.upright_size(path.read_bytes(), Limits(), "a") == (width, height)
    assert uploads.safe_name(path.name) == path.name


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - NOT_WRITTEN))
def test_folders_and_data_sets_find_every_suffix(tmp_path, suffix):
    images, others = tmp_path / "images", tmp_path / "others"
    images.mkdir()
    others.mkdir()
    save(images / f"a{suffix}")
    Image.fromarray(np.zeros((48, 64), np.uint8)).save(others / "a.png")
    assert len(pair_up("set", images, others, LabelSpec(("a", "b"))).examples) == 1
    found = pairs.pair_up(images, others)
    assert [pair.image.name for pair in found.pairs] == [f"a{suffix}"]


@pytest.mark.parametrize("suffix", sorted(LABEL_SUFFIXES - {".pbm", ".webp", ".ppm"}))
def test_labels_survive_every_suffix_for_labels(tmp_path, suffix):
    labels = RNG.integers(0, 9, (20, 30), dtype=np.uint8)
    path = tmp_path / f"a{suffix}"
    kind = {".dib": "DIB", ".pnm": "PPM"}.get(suffix)
    Image.fromarray(labels).save(path, kind)
    if suffix == ".gif":  # Pillow sorts its palette, unless told not to
        image = Image.fromarray(labels)
        image.putpalette([0] * 768)
        image.save(path, optimize=False)
    np.testing.assert_array_equal(read_labels(path)[0], labels)


def odd_images(folder):
    dim = (100 + SMOOTH.astype(np.uint16)).astype(np.uint16)
    tifffile.imwrite(folder / "dim.tif", dim[..., 0], photometric="minisblack")
    Image.fromarray(dim[..., 0]).save(folder / "dim.png")
    tifffile.imwrite(folder / "long.tif", dim[..., 0].astype(np.int64))
    floats = dim[..., 0] / 1000
    floats[3, 3] = np.nan
    tifffile.imwrite(folder / "gap.tif", floats)
    five = np.moveaxis(dim[..., [0, 1, 2, 0, 1]], -1, 0)
    tifffile.imwrite(folder / "five.tif", five, photometric="rgb", planarconfig="separate")
    white = tifffile.PHOTOMETRIC.MINISWHITE
    tifffile.imwrite(folder / "negative.tif", SMOOTH[..., 0], photometric=white)
    cv2.imwrite(str(folder / "colors.pfm"), SMOOTH.astype(np.float32) / 255)
    cv2.imwrite(str(folder / "dim.ppm"), dim)
    Image.fromarray(SMOOTH).convert("P").save(folder / "clear.gif", transparency=1)
    return sorted(folder.iterdir())


def test_the_server_takes_and_shows_what_is_read(tmp_path):
    for path in odd_images(tmp_path):
        pixels = load_image(path)
        assert image_size(path) == pixels.shape[:2]
        assert uploads.upright_size(path.read_bytes(), Limits(), "a") == (64, 48)
        entry = SimpleNamespace(path=path, name=path.name)
        small = pictures.thumbnail(entry, Limits(), lambda one: load_image(one.path))
        shown = Image.open(io.BytesIO(small)).convert("RGB")
        assert np.abs(np.asarray(shown).astype(int) - pixels).mean() < 20
        data, _ = pictures.file_for_browser(entry, pixels)
        sent = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        np.testing.assert_array_equal(sent, pixels)


EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 20 20
%%EndComments
newpath 0 0 moveto 20 20 lineto stroke
showpage
%%EOF
"""
WMF = b"\xd7\xcd\xc6\x9a\0\0" + bytes(64)
EMF = b"\x01\0\0\0" + bytes(36) + b" EMF" + bytes(64)


@pytest.mark.parametrize("suffix", ["eps", "png", "jpg", "tif", "tga", "ps"])
@pytest.mark.parametrize("content", [EPS, EPS.replace(b"EPSF", b"    "), WMF, EMF, b"%PDF-1.7\n"])
def test_what_runs_other_programs_is_never_opened(tmp_path, monkeypatch, content, suffix):
    def ran(*arguments, **options):
        raise AssertionError(f"ran {arguments}")

    for name in ("Popen", "run", "check_call", "check_output", "call"):
        monkeypatch.setattr(subprocess, name, ran)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    for read in (load_image, image_size, decoded_size, read_labels):
        with pytest.raises(InputError, match=rf"a\.{suffix}"):
            read(path)
    with pytest.raises(InputError, match="a"):
        uploads.upright_size(content, Limits(), "a")


def test_pillow_opens_images_in_one_place_only():
    """Anywhere else, formats that run programs would be opened."""
    import saccade

    root = __import__("pathlib").Path(saccade.__file__).parent
    places = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob("*.py"))
        if "Image.open(" in path.read_text("utf-8").replace("picture = Image.open(image)", "")
    ]
    assert [place for place in places if place != "batch/__init__.py"] == [
        "images/header.py",
        "images/segments.py",
    ]


def test_a_webp_keeps_its_alpha(tmp_path):
    rgba = np.dstack([SMOOTH, np.full((48, 64), 255, np.uint8)])
    rgba[:9, :, 3] = 0
    for suffix in ("webp", "png", "tga", "qoi", "avif"):
        Image.fromarray(rgba).save(buffer := io.BytesIO(), suffix, quality=100)
        (tmp_path / f"a.{suffix}").write_bytes(buffer.getvalue())
        assert (load_image(tmp_path / f"a.{suffix}")[:8] >= 250).all()
