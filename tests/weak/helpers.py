"""Images of coloured rectangles on a ground, with masks, strokes and image labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from saccade.data.specs import LabelSpec
from saccade.data.transforms import Augmentation
from saccade.models.mdc import LocalizerConfig
from saccade.training.classifier_config import LocalizerTraining
from saccade.training.optim_config import OptimConfig
from saccade.weak.localization import LocalizationMaps

COLORS = np.array([[60, 60, 60], [200, 40, 40], [40, 180, 60]], np.uint8)
SPEC = LabelSpec(("ground", "red", "green"))
PRESENT = np.array([[1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], bool)
CONFIG = LocalizerTraining(
    LocalizerConfig(backbone="mobilenet_v2", dilations=(1, 2), width=16, output_stride=8),
    optim=OptimConfig(epochs=3, batch=2, lr=0.01, head_lr=1.0),
    augmentation=Augmentation(crop=(48, 64), scale=(1.0, 1.0)),
    device="cpu",
)


@dataclass(frozen=True)
class Folders:
    """Folders of a made-up data set."""

    root: Path
    images: Path
    masks: Path
    strokes: Path

    @property
    def pairs(self):
        return [(path, self.strokes / path.name) for path in sorted(self.images.iterdir())]


def photograph(generator, size=(60, 80)):
    """Image (H, W, 3), mask and strokes (H, W)."""
    labels = np.zeros(size, np.uint8)
    strokes = np.full(size, 255, np.uint8)
    strokes[2:4, 5:70] = 0
    for k, left in ((1, 6), (2, 46)):
        y, x = generator.integers(8, size[0] - 32), left + generator.integers(0, 8)
        labels[y : y + 24, x : x + 24] = k
        strokes[y + 11 : y + 13, x + 5 : x + 19] = k
    noise = generator.integers(-20, 20, (*size, 3))
    image = np.clip(COLORS[labels].astype(int) + noise, 0, 255).astype(np.uint8)
    return image, labels, strokes


def write_set(root):
    """Four images with masks, strokes and classes.txt, below a folder."""
    generator = np.random.default_rng(0)
    made = Folders(root, *(root / name for name in ("images", "masks", "strokes")))
    for folder in (made.images, made.masks, made.strokes):
        folder.mkdir()
    for number in range(4):
        image, labels, strokes = photograph(generator)
        places = (made.images, made.masks, made.strokes)
        for folder, array in zip(places, (image, labels, strokes), strict=True):
            Image.fromarray(array).save(folder / f"{number}.png")
    (root / "classes.txt").write_text("\n".join(SPEC.names))
    return made


def maps_of(**values):
    maps = np.zeros((3, 2, 4, 5), np.float32)
    maps[0, 0, 1, 1] = 1
    maps[1, 0, 1, 1:3] = 1, 0.5
    maps[2, 1, 3, 4] = 1
    return LocalizationMaps(maps, (1, 2), (1, 3, 6), (8, 10), **values)
