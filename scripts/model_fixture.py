"""Make the model file that later releases must read: python scripts/model_fixture.py FOLDER

FOLDER gets a model fitted to two drawn pictures, a third picture, and the mask and the probability
of class 1 that this release gives there. A folder that is committed under tests/fitted/releases is
never written again: a release whose files change adds one.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import saccade

SIZE = (120, 160)
CELLS = 9


def picture(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Light cells on a darker, uneven ground: (H, W, 3) uint8, and where they are."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    truth = np.zeros(SIZE, np.uint8)
    for _ in range(CELLS):
        row, column = rng.integers(10, SIZE[0] - 10), rng.integers(10, SIZE[1] - 10)
        truth[(y - row) ** 2 + (x - column) ** 2 < rng.integers(36, 110)] = 1
    ground = 50 + 30 * x / SIZE[1]
    gray = np.where(truth == 1, 125, ground)[..., None] + rng.normal(0, 16, (*SIZE, 1))
    return (gray * [1.0, 0.9, 0.8]).clip(0, 255).astype(np.uint8), truth


def strokes_on(truth: np.ndarray) -> np.ndarray:
    """Short lines in both classes, 255 elsewhere."""
    lines = np.full_like(truth, 255)
    for value in (0, 1):
        rows, columns = np.nonzero(truth == value)
        for place in np.linspace(0, len(rows) - 1, 6).astype(int)[1:-1]:
            part = slice(max(0, columns[place] - 6), columns[place] + 7)
            inside = truth[rows[place], part] == value
            lines[rows[place], part][inside] = value
    return lines


def main() -> None:
    """Fit, save, predict."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if folder.exists():
        parser.error(f"{folder}: is there already")
    shown = [picture(seed) for seed in (1, 2)]
    model = saccade.fit([rgb for rgb, _ in shown], [strokes_on(truth) for _, truth in shown])
    model.names = {0: "ground", 1: "cell"}
    rgb, _ = picture(3)
    found = model.predict(rgb)
    folder.mkdir(parents=True)
    model.save(folder / "cells.saccade")
    Image.fromarray(rgb).save(folder / "image.png")
    Image.fromarray(found.labels.astype(np.uint8)).save(folder / "mask.png")
    levels = (found.probabilities[1] * 255).round().astype(np.uint8)
    Image.fromarray(levels).save(folder / "probability.png")


if __name__ == "__main__":
    main()
