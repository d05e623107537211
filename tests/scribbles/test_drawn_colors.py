"""Strokes that were once JPEG or resized have the classes that were drawn."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from saccade.errors import InputError
from saccade.scribbles.readers import read_strokes

R = Image.Resampling
COLORS = {
    "white": ((255, 255, 255), [(0, 0, 255), (255, 0, 0)]),
    "black": ((0, 0, 0), [(255, 0, 0), (0, 255, 0), (0, 0, 255)]),
    "grey": ((250, 250, 250), [(200, 60, 30), (30, 120, 220), (40, 160, 60)]),
}
GREYS = {
    "0 empty": (0, [128, 255]),
    "255 empty": (255, [0, 128]),
    "128 empty": (128, [0, 255]),
    "three": (0, [85, 170, 255]),
}
LINES = [(0.1, 0.06, 0.9, 0.08), (0.3, 0.5, 0.5, 0.52), (0.6, 0.2, 0.9, 0.6)]


def draw(canvas, colors, width: float, size: tuple[int, int] = (240, 320)) -> Image.Image:
    h, w = size
    image = Image.new("L" if isinstance(canvas, int) else "RGB", (w, h), canvas)
    pen = ImageDraw.Draw(image)
    for (x0, y0, x1, y1), color in zip(LINES, colors, strict=False):
        pen.line((w * x0, h * y0, w * x1, h * y1), fill=color, width=round(width))
    return image


def soft(canvas, colors, width: float) -> Image.Image:
    return draw(canvas, colors, 4 * width, (960, 1280)).resize((320, 240), R.BOX)


def places_agree(strokes, hard: Image.Image, color, value: int) -> bool:
    there = np.asarray(hard).reshape(*strokes.labels.shape, -1) == color
    near = ndimage.binary_dilation(there.all(-1), iterations=2)
    found = strokes.labels == value
    return bool((found & near).sum() > 0.9 * found.sum() > 0)


@pytest.mark.parametrize("edges", [draw, soft])
@pytest.mark.parametrize("quality", [50, 75, 95, 100])
@pytest.mark.parametrize("width", [3, 5, 8])
@pytest.mark.parametrize("look", GREYS)
def test_grey_jpegs_have_the_values_drawn(look, width, quality, edges, tmp_path):
    canvas, colors = GREYS[look]
    edges(canvas, colors, width).save(tmp_path / "s.jpg", quality=quality)
    strokes = read_strokes(tmp_path / "s.jpg")
    assert len(strokes.classes) == len(colors)
    hard = draw(canvas, colors, width)
    for value, color in zip(strokes.classes, sorted(colors), strict=True):
        assert abs(value - color) <= (10 if width > 3 else 45)
        assert places_agree(strokes, hard, color, value)
    assert "compression changed colours" in " ".join(strokes.remarks)


@pytest.mark.parametrize("again", [None, "png", "bmp", "tif"])
@pytest.mark.parametrize("look", [*COLORS, *GREYS])
def test_what_was_once_jpeg_is_read_from_other_formats(look, again, tmp_path):
    canvas, colors = {**COLORS, **GREYS}[look]
    draw(canvas, colors, 8).save(tmp_path / "s.jpg", quality=80)
    path = tmp_path / f"s.{again or 'jpg'}"
    Image.open(tmp_path / "s.jpg").save(path)
    assert len(read_strokes(path).classes) == len(colors)


@pytest.mark.parametrize("suffix", ["webp", "avif"])
@pytest.mark.parametrize("quality", [60, 80, 95])
@pytest.mark.parametrize("look", COLORS)
def test_other_lossy_formats_have_the_classes_drawn(look, quality, suffix, tmp_path):
    canvas, colors = COLORS[look]
    draw(canvas, colors, 10).save(tmp_path / f"s.{suffix}", quality=quality)
    assert len(read_strokes(tmp_path / f"s.{suffix}").classes) == len(colors)


@pytest.mark.parametrize("quality", [60, 75, 95])
@pytest.mark.parametrize("width", [8, 12])
@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("look", COLORS)
def test_coloured_jpegs_have_the_classes_drawn(look, subsampling, width, quality, tmp_path):
    canvas, colors = COLORS[look]
    image = draw(canvas, colors, width)
    image.save(tmp_path / "s.jpg", quality=quality, subsampling=subsampling)
    strokes = read_strokes(tmp_path / "s.jpg")
    assert len(strokes.classes) == len(colors)
    for color in colors:
        assert any(places_agree(strokes, image, color, value) for value in strokes.classes)


@pytest.mark.parametrize("method", [R.BILINEAR, R.BICUBIC, R.LANCZOS])
@pytest.mark.parametrize("factor", [1.37, 2])
@pytest.mark.parametrize("width", [5, 8])
@pytest.mark.parametrize("look", GREYS)
def test_resized_grey_strokes_have_the_values_drawn(look, width, factor, method, tmp_path):
    canvas, colors = GREYS[look]
    large = draw(canvas, colors, width * factor, (round(240 * factor), round(320 * factor)))
    large.resize((320, 240), method).save(tmp_path / "s.png")
    strokes = read_strokes(tmp_path / "s.png")
    assert len(strokes.classes) == len(colors)
    assert np.abs(np.subtract(strokes.classes, sorted(colors))).max() <= 10


def test_jpegs_of_photographs_are_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    for mode in ("RGB", "L"):
        Image.fromarray(noise).convert(mode).resize((160, 120), R.BICUBIC).save(tmp_path / "s.jpg")
        with pytest.raises(InputError, match="looks like a photograph"):
            read_strokes(tmp_path / "s.jpg")


def test_jpegs_without_a_stroke_are_refused(tmp_path):
    draw((255, 255, 255), [], 6).save(tmp_path / "s.jpg")
    with pytest.raises(InputError):
        read_strokes(tmp_path / "s.jpg")


def test_jpegs_of_one_stroke_are_read(tmp_path):
    draw((255, 255, 255), [(255, 0, 0)], 6).save(tmp_path / "s.jpg")
    assert len(read_strokes(tmp_path / "s.jpg").classes) == 1


def test_jpegs_of_many_pixels_are_refused_before_work(tmp_path):
    data = io.BytesIO()
    Image.new("L", (5000, 3000)).save(data, "JPEG")
    (tmp_path / "s.jpg").write_bytes(data.getvalue())
    with pytest.raises(InputError, match="too many"):
        read_strokes(tmp_path / "s.jpg")
