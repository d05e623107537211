from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pytest
import torch

from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.run import one_thread

UNLABELED = 255


@dataclass(frozen=True)
class Picture:
    image: np.ndarray  # (H, W, 3) uint8
    strokes: np.ndarray  # (H, W) uint8, 255 where unlabeled
    truth: np.ndarray  # (H, W) uint8


@pytest.fixture(scope="session")
def picture() -> Picture:
    """A bright blue disc on brown ground, a little noise, one short stroke in each."""
    y, x = np.ogrid[:48, :66]
    truth = ((y - 22) ** 2 + (x - 36) ** 2 < 15**2).astype(np.uint8)
    colors = np.array([(120, 90, 50), (60, 110, 220)])
    noise = np.random.default_rng(0).normal(0, 6, (48, 66, 3))
    image = (colors[truth] + noise).clip(0, 255).astype(np.uint8)
    strokes = np.full(truth.shape, UNLABELED, np.uint8)
    strokes[20:22, 30:42] = 1
    strokes[4:6, 6:30] = 0
    strokes[20:40, 5:7] = 0
    return Picture(image, strokes, truth)


@pytest.fixture
def trained() -> None:
    """Skips where the bundled weights are not the trained ones."""
    if not (files("saccade.models") / "bundled.json").is_file():
        pytest.skip("bundled.json is not there: the bundled weights are not the trained ones")


@pytest.fixture(autouse=True)
def _one_thread():
    """As the segmenter computes: with more threads sums are not added in the same order twice."""
    with one_thread(torch.device("cpu")):
        yield


@pytest.fixture
def prepared(picture) -> PreparedImage:
    """The picture prepared with the bundled features on the CPU."""
    return prepare_image(picture.image, device=torch.device("cpu"))
