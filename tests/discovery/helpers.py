"""Folders as people have them: photographs of noise, and masks of few values."""

import numpy as np
from PIL import Image

SIZE = (24, 32)


def photograph(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    Image.fromarray(generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(path)
    return path


def mask(path, values=(0, 1), size=SIZE):
    """Stripes of the values, or of the colors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.array(values)
    labels = values[np.arange(size[1]) * len(values) // size[1]]
    tall = np.repeat(labels[None], size[0], 0)
    Image.fromarray(tall.astype(np.uint16 if tall.max() > 255 else np.uint8)).save(path)
    return path
