"""Parts of a plane are read as the whole is, and shrunk without reading it at once."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from saccade.images import Image, open_image, read_any
from saccade.images.planes import read_planes
from saccade.interactive.objects import Box
from saccade.slides.reading import Parts, shrunk

NOISE = np.random.default_rng(0)


@pytest.mark.parametrize("kind", ["rgb", "rgba", "grey16", "float", "bands"])
def test_a_part_is_that_of_the_whole(tmp_path, kind):
    shape = {"rgb": (90, 120, 3), "rgba": (90, 120, 4), "bands": (90, 120, 5)}.get(kind, (90, 120))
    values = NOISE.integers(0, 256, shape).astype(np.uint8)
    if kind == "grey16":
        values = NOISE.integers(100, 400, shape).astype(np.uint16)
    if kind == "float":
        values = NOISE.normal(5, 2, shape).astype(np.float32)
    said = {"rgb": {"photometric": "rgb"}, "rgba": {"photometric": "rgb", "extrasamples": [2]}}
    tifffile.imwrite(tmp_path / "a.tif", values, tile=(32, 32), **said.get(kind, {}))
    image = open_image(tmp_path / "a.tif")
    if kind == "bands":
        image = Image(values, "YXC")
    whole, planes = read_any(image), read_planes(image)
    part = planes.read(0, 0, slice(10, 50), slice(20, 90))
    assert np.abs(part.pixels.astype(int) - whole.pixels[10:50, 20:90]).max() <= 1
    if kind == "bands":
        np.testing.assert_allclose(part.components, whole.components[10:50, 20:90], atol=1e-4)
        parts = Parts(planes, Box(5, 5, 80, 110), components=True)
        assert parts[2:4, 3:9].shape == (2, 6, 5)


def test_parts_are_indexed_within_their_box(tmp_path):
    values = NOISE.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    parts = Parts(read_planes(Image(values, "YXC", colors=True)), Box(10, 20, 30, 50))
    assert parts.shape == (20, 30, 3)
    assert np.array_equal(parts[2:5, 3:], values[12:15, 23:50])


def test_windows_of_a_large_plane_are_those_of_parts(monkeypatch):
    monkeypatch.setattr("saccade.images.planes._LARGE", 1000)
    monkeypatch.setattr("saccade.images.planes._PART", 8)
    values = NOISE.integers(100, 400, (90, 120)).astype(np.uint16)
    planes = read_planes(Image(values, "YX"))
    assert any("as 16 parts of it say" in remark for remark in planes.remarks)
    pixels = planes.read(0, 0).pixels
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert abs(float(pixels.mean()) - 127.5) < 4


@pytest.mark.parametrize("most", [200, 3000, 10**6])
def test_shrinking_by_strips_is_a_mean_of_squares(monkeypatch, most):
    monkeypatch.setattr("saccade.slides.reading._READ", 2000)
    values = NOISE.integers(0, 256, (203, 301, 3)).astype(np.uint8)
    planes = read_planes(Image(values, "YXC", colors=True))
    small = shrunk(planes, Box(0, 0, 203, 301), most).pixels
    factor = max(1, int((203 * 301 / most) ** 0.5 / 4))
    expected = np.asarray(Picture.fromarray(values).reduce(factor)) if factor > 1 else values
    assert np.array_equal(small, expected)
    assert small.shape[0] * small.shape[1] >= min(most, 203 * 301)


def test_other_channels_are_shrunk_as_colors_are():
    values = NOISE.normal(0, 1, (203, 301, 5)).astype(np.float32)
    planes = read_planes(Image(values, "YXC"))
    read = shrunk(planes, Box(0, 0, 203, 301), 200)
    whole = planes.read(0, 0).components
    factor = int((203 * 301 / 200) ** 0.5 / 4)
    assert read.components.shape[:2] == read.pixels.shape[:2]
    np.testing.assert_allclose(
        read.components[0, 0], whole[:factor, :factor].mean((0, 1)), atol=1e-4
    )
