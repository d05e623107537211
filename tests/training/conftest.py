"""A tiny data set: coloured rectangles on a ground, three classes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade.training.config import config_of

COLORS = np.array([[60, 60, 60], [200, 40, 40], [40, 180, 60]], np.uint8)


def write_set(
    root: Path, *, train: int = 8, val: int = 3, size: tuple[int, int] = (48, 64)
) -> Path:
    """images/ and masks/ with train/ and val/, and classes.txt."""
    generator = np.random.default_rng(0)
    for split, count in (("train", train), ("val", val)):
        for kind in ("images", "masks"):
            (root / kind / split).mkdir(parents=True)
        for number in range(count):
            labels = np.zeros(size, np.uint8)
            for k in (1, 2):
                y, x = generator.integers(0, size[0] - 20), generator.integers(0, size[1] - 24)
                labels[y : y + 18, x : x + 22] = k
            noise = generator.integers(-20, 20, (*size, 3))
            image = np.clip(COLORS[labels].astype(int) + noise, 0, 255).astype(np.uint8)
            labels[0, :5] = 255
            Image.fromarray(image).save(root / "images" / split / f"{number}.png")
            Image.fromarray(labels).save(root / "masks" / split / f"{number}.png")
    (root / "classes.txt").write_text("ground\nred\ngreen\n")
    return root


@pytest.fixture
def data(tmp_path):
    return write_set(tmp_path / "data")


@pytest.fixture
def settings(data):
    """The tables of a configuration that trains in seconds."""
    return {
        "data": {"layout": "folder", "root": str(data)},
        "network": {"width": 8, "pyramid": "gdpp"},
        "optim": {"epochs": 2, "batch": 4, "lr": 0.01},
        "augmentation": {"crop": [32, 40]},
        "run": {"device": "cpu", "pictures": 1},
    }


@pytest.fixture
def config(settings):
    return config_of(settings, Path("."))
