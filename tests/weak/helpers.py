"""Images of coloured rectangles on a ground, with masks, strokes and image labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saccade.data.specs import LabelSpec

COLORS = np.array([[60, 60, 60], [200, 40, 40], [40, 180, 60]], np.uint8)
SPEC = LabelSpec(("ground", "red", "green"))


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


def scene(generator, size=(60, 80)):
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
