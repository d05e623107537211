"""A tiny root in the layout of the measuring sets, made of two-colour pictures."""

import numpy as np
import pytest
from PIL import Image


def two_colours(height=40, width=52, noise=6.0, seed=0):
    """A red disc on blue: image, strokes of a few pixels inside each, truth with a border."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    truth = (distance < 12).astype(np.uint8)
    colours = np.array([[40, 60, 200], [210, 50, 40]], float)
    image = (colours[truth] + rng.normal(0, noise, (height, width, 3))).clip(0, 255)
    strokes = np.full(truth.shape, 255, np.uint8)
    strokes[height // 2 - 1 : height // 2 + 1, width // 2 - 7 : width // 2 + 7] = 1
    strokes[3:5, 5:-5] = 0
    strokes[-5:-3, 5:-5] = 0
    known = truth.copy()
    known[np.abs(distance - 12) < 1] = 255
    return image.astype(np.uint8), strokes, known


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


@pytest.fixture
def picture():
    """One easy (image, strokes, truth)."""
    return two_colours()


@pytest.fixture
def root(tmp_path):
    """Three object images (png, bmp, jpg), two with thin strokes; one CamVid frame of two."""
    for number, name in enumerate(["b.png", "a.bmp", "c.jpg"]):
        image, strokes, truth = two_colours(seed=number)
        stem = name.split(".")[0]
        save(tmp_path / "iseg/images" / name, image)
        save(tmp_path / "iseg/masks" / f"{stem}.png", truth)
        if stem != "c":
            save(tmp_path / "iseg/scribbles_thin" / f"{stem}.png", strokes)
        save(tmp_path / "iseg/scribbles_full" / f"{stem}.png", strokes)
    for stem in ("f1", "f2"):
        image, strokes, truth = two_colours()
        truth = np.where(truth == 255, 11, truth).astype(np.uint8)
        truth[:2], strokes[:1] = 7, 7
        save(tmp_path / "camvid/val" / f"{stem}.jpg", image)
        save(tmp_path / "camvid/valannot" / f"{stem}.png", truth)
    save(tmp_path / "camvid/val_scribbles/f2.png", strokes)
    return tmp_path
