"""Small data for the training of the bundled weights."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.scripts.small_recipes import FOLDERS


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two photographs of a colored box, human segments, and two street scenes."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "data"
    for images, labels in (FOLDERS["bsds"], FOLDERS["camvid"]):
        (folder / images).mkdir(parents=True)
        (folder / labels).mkdir(parents=True)
        for stem in ("a", "b"):
            truth = np.zeros((240, 330), np.uint8)
            truth[60:170, 90:230] = 1
            truth[:, 280:] = 2
            colors = np.array([[40, 90, 40], [200, 60, 50], [60, 60, 190]])[truth]
            picture = (colors + rng.integers(-20, 20, colors.shape)).clip(0, 255)
            Image.fromarray(picture.astype(np.uint8)).save(folder / images / f"{stem}.png")
            Image.fromarray(truth).save(folder / labels / f"{stem}.png")
    return folder


@pytest.fixture
def with_things(root: Path) -> Path:
    """The same, and three photographs of a box each, with its mask."""
    for name in FOLDERS["objects"]:
        (root / name).mkdir(parents=True)
    segments = np.asarray(Image.open(root / "bsds/train/segments/a.png"))
    mask = Image.fromarray((255 * (segments == 1)).astype(np.uint8))
    for stem in ("x", "y", "z"):
        Image.open(root / "bsds/train/images/a.png").save(root / f"objects/images/{stem}.png")
        mask.save(root / f"objects/masks/{stem}.png")
    return root


@pytest.fixture
def people(root: Path) -> Path:
    """The same, and three photographs with strokes of people."""
    for name in FOLDERS["iseg"]:
        (root / name).mkdir(parents=True)
    for stem in ("x", "y", "z"):
        Image.open(root / "bsds/train/images/a.png").save(root / f"iseg/images/{stem}.png")
        segments = np.asarray(Image.open(root / "bsds/train/segments/a.png"))
        mask = (segments == 1).astype(np.uint8)
        Image.fromarray(mask).save(root / f"iseg/masks/{stem}.png")
        strokes = np.full(mask.shape, 255, np.uint8)
        strokes[100:104, 110:200], strokes[20:24, 40:300] = 1, 0
        for kind in ("thin", "full", "dense"):
            Image.fromarray(strokes).save(root / f"iseg/scribbles_{kind}/{stem}.png")
    return root
