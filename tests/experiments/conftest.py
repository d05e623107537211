"""A tiny root in the layout of the shared sets, and a segmenter that takes no time."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

import saccade.interactive

SHAPE = (12, 16)


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8)).save(path)


def labels():
    """Truth: class 1 in the right half, two unknown columns between; strokes inside both."""
    truth = np.zeros(SHAPE, np.uint8)
    truth[:, 8:] = 1
    truth[:, 7:9] = 255
    strokes = np.full(SHAPE, 255, np.uint8)
    strokes[5, 1:5] = 0
    strokes[5, 11:15] = 1
    return truth, strokes


@pytest.fixture
def root(tmp_path):
    """Three object images with thin strokes, two CamVid frames with one of strokes each."""
    truth, strokes = labels()
    rng = np.random.default_rng(0)
    for stem in "abc":
        save(tmp_path / f"iseg/images/{stem}.png", rng.integers(0, 256, (*SHAPE, 3)))
        save(tmp_path / f"iseg/masks/{stem}.png", truth)
        save(tmp_path / f"iseg/scribbles_thin/{stem}.png", strokes)
    for stem in ("f1", "f2"):
        save(tmp_path / f"camvid/val/{stem}.png", rng.integers(0, 256, (*SHAPE, 3)))
        save(tmp_path / f"camvid/valannot/{stem}.png", np.where(truth == 255, 11, truth))
        save(tmp_path / f"camvid/val_scribbles/{stem}.png", strokes)
    return tmp_path


@dataclass
class FakeResult:
    labels: np.ndarray


@pytest.fixture
def fake_segment(monkeypatch):
    """Right everywhere but in as many columns from the left as the branch tells; counts calls."""
    calls = []
    wrong = {"gdc": 0, "normal": 2, "dilated": 1, "deformable": 3, "uniform": 4}

    def segment(image, strokes, *, preset, seed, device):
        calls.append((preset.network.branch, seed))
        guess = np.zeros(strokes.shape, np.int32)
        guess[:, 8:] = 1
        guess[:, : wrong[preset.network.branch]] = 1
        return FakeResult(guess)

    monkeypatch.setattr(saccade.interactive, "segment", segment, raising=False)
    return calls
