"""Photographs with strokes, and the command line with a segmenter that takes no time."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

import saccade.interactive
from saccade.cli.app import app
from tests.cli import fake
from tests.cli.networks import trained  # noqa: F401
from tests.cli.stacks import drawn  # noqa: F401

SHAPE = (12, 16)


def write_pair(image: Path, strokes: Path, seed: int = 0) -> None:
    """Write a noisy image, and strokes of the classes 0 and 1 with 255 where there are none."""
    generator = np.random.default_rng(seed)
    Image.fromarray(generator.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)).save(image)
    labels = np.full(SHAPE, 255, dtype=np.uint8)
    labels[2, 2:9] = 0
    labels[8:10, 3:14] = 1
    Image.fromarray(labels).save(strokes)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """One image and its strokes, of different names."""
    paths = tmp_path / "photo.png", tmp_path / "drawn.png"
    write_pair(*paths)
    return paths


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Images a, b, c and their strokes."""
    images, strokes = tmp_path / "images", tmp_path / "strokes"
    images.mkdir()
    strokes.mkdir()
    for seed, stem in enumerate("abc"):
        write_pair(images / f"{stem}.png", strokes / f"{stem}.png", seed)
    return images, strokes


@pytest.fixture
def saccade_cli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run the command line in this process, with the fake segmenter."""
    monkeypatch.setattr(saccade.interactive, "ScribbleSegmenter", fake.FakeSegmenter, raising=False)
    monkeypatch.setattr(fake, "calls", [])

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)

    return run


def tree(folder: Path) -> set[str]:
    """Return the files below a folder, hidden ones too; without records of masks."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in files if path.parts[0] != "records"}
