"""Many like things, of which a person strokes a few: cells, coins, leaves.

No photographs with such labels are at hand, so these are made: spots or blots of one texture before
another one, both cut out of photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from saccade.scribbles.simulate import draw_through
from scripts.train_bundled.windows import Episode, Image8, Labels, Rng, Size, jitter, load_photo

_RADIUS = 0.02, 0.09  # of spots, shares of the shorter side
_LEAST_AREA = 40  # pixels of a thing that somebody would stroke


def many_episode(rng: Rng, photos: Sequence[Path], size: Size) -> Episode | None:
    """Image, truth and strokes of ``size``; None where there are too few things."""
    truth = _things(rng, size)
    return _episode(rng, truth, *(_texture(rng, photos, size) for _ in range(2)))


def like_episodes(rng: Rng, photos: Sequence[Path], size: Size, count: int) -> list[Episode]:
    """Up to ``count`` images of the same two textures, in light of their own."""
    things, ground = (_texture(rng, photos, size) for _ in range(2))
    blots = rng.random() < 0.4
    radius = float(rng.uniform(*_RADIUS))
    found = []
    for _ in range(count):
        truth = _blots(rng, size) if blots else _spots(rng, size, radius)
        moved = [
            np.roll(one, rng.integers(0, size).tolist(), (0, 1)) * rng.uniform(0.9, 1.1)
            for one in (things, ground)
        ]
        episode = _episode(rng, truth, *moved)
        if episode is not None:
            found.append(episode)
    return found


def _things(rng: Rng, size: Size) -> Labels:
    return _spots(rng, size) if rng.random() < 0.6 else _blots(rng, size)


def _episode(
    rng: Rng, truth: Labels, things: NDArray[np.float32], ground: NDArray[np.float32]
) -> Episode | None:
    """Image, truth and strokes on a few of the things; None where there are too few."""
    size = truth.shape
    parts, count = ndimage.label(truth)
    areas = np.bincount(parts.ravel(), minlength=count + 1)
    worth = np.flatnonzero(areas[1:] >= _LEAST_AREA) + 1
    if len(worth) < 4 or not 0.03 < truth.mean() < 0.7:
        return None
    image = _painted(rng, truth, parts, things, ground)
    strokes = np.full(size, 255, np.uint8)
    chosen = rng.choice(worth, min(len(worth), int(rng.choice([1, 2, 3, 5]))), replace=False)
    for number in chosen:
        places = np.argwhere(parts == number)
        y, x = places[rng.integers(len(places))].tolist()
        strokes[draw_through(parts == number, (y, x), rng, length=(0.03, 0.15), margin=2)] = 1
    free = np.argwhere(truth == 0)
    for _ in range(int(rng.integers(1, 5))):
        y, x = free[rng.integers(len(free))].tolist()
        strokes[draw_through(truth == 0, (y, x), rng, length=(0.05, 0.35), margin=3)] = 0
    return image, truth, strokes


def _spots(rng: Rng, size: Size, share: float | None = None) -> Labels:
    """Ellipses of one size, give or take: a share of the shorter side."""
    truth = np.zeros(size, np.uint8)
    y, x = np.mgrid[: size[0], : size[1]]
    radius = (rng.uniform(*_RADIUS) if share is None else share) * min(size)
    for _ in range(int(rng.integers(6, 50))):
        a, b = radius * rng.uniform(0.7, 1.4, 2)
        angle = rng.uniform(0, np.pi)
        dy, dx = y - rng.uniform(0, size[0]), x - rng.uniform(0, size[1])
        along, across = (
            dx * np.cos(angle) + dy * np.sin(angle),
            dy * np.cos(angle) - dx * np.sin(angle),
        )
        truth[(along / a) ** 2 + (across / b) ** 2 < 1] = 1
    return truth


def _blots(rng: Rng, size: Size) -> Labels:
    """Where smooth noise is high."""
    noise = ndimage.gaussian_filter(rng.normal(size=size), rng.uniform(0.015, 0.05) * min(size))
    return np.asarray(noise > np.quantile(noise, rng.uniform(0.5, 0.9)), np.uint8)


def _texture(rng: Rng, photos: Sequence[Path], size: Size) -> NDArray[np.float32]:
    """A piece of a photograph, mirrored again and again where it is small."""
    image = load_photo(photos[int(rng.integers(len(photos)))])
    side = int(rng.uniform(0.1, 0.4) * min(image.shape[:2]))
    y, x = (int(rng.integers(0, n - side)) for n in image.shape[:2])
    window = Image.fromarray(image[y : y + side, x : x + side])
    scaled = max(8, int(side * rng.uniform(0.7, 2.0)))
    piece = np.asarray(window.resize((scaled, scaled), Image.Resampling.BICUBIC))
    rows, columns = (max(0, n - m) for n, m in zip(size, piece.shape, strict=False))
    tiled = np.pad(piece, ((0, rows), (0, columns), (0, 0)), mode="symmetric")
    return jitter(rng, tiled[: size[0], : size[1]]).astype(np.float32)


def _painted(
    rng: Rng,
    truth: Labels,
    parts: NDArray[Any],
    things: NDArray[np.float32],
    ground: NDArray[np.float32],
) -> Image8:
    """Things before the ground, each a little lighter or darker, under uneven light."""
    lighter = rng.normal(0, rng.uniform(0, 14), parts.max() + 1)[parts][..., None]
    share = ndimage.gaussian_filter(truth.astype(np.float32), rng.uniform(0.4, 1.2))[..., None]
    image = share * (things + lighter) + (1 - share) * ground
    light = ndimage.gaussian_filter(rng.normal(size=(4, 6)), 1)
    light = np.asarray(Image.fromarray(light.astype(np.float32)).resize(truth.shape[::-1]))
    image = image * (1 + 0.4 * light[..., None]) + rng.normal(0, rng.uniform(0, 6), image.shape)
    return np.asarray(image.clip(0, 255).astype(np.uint8))
