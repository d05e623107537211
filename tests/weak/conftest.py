"""A made-up data set on disk."""

import numpy as np
import pytest
from PIL import Image

from tests.weak.helpers import SPEC, Folders, scene


@pytest.fixture
def folders(tmp_path):
    generator = np.random.default_rng(0)
    made = Folders(tmp_path, *(tmp_path / name for name in ("images", "masks", "strokes")))
    for folder in (made.images, made.masks, made.strokes):
        folder.mkdir()
    for number in range(4):
        image, labels, strokes = scene(generator)
        places = (made.images, made.masks, made.strokes)
        for folder, array in zip(places, (image, labels, strokes), strict=True):
            Image.fromarray(array).save(folder / f"{number}.png")
    (tmp_path / "classes.txt").write_text("\n".join(SPEC.names))
    return made
