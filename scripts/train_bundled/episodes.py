"""Episodes: a photograph, an object or several classes in it, and simulated strokes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from saccade.scribbles.simulate import (
    CLASSES,
    DENSE,
    FULL,
    THIN,
    StrokeStyle,
    draw_through,
    simulate_strokes,
)

SIZE = (224, 320)
SIZES = {SIZE: 0.4, (288, 416): 0.4, (352, 496): 0.2}  # of the fusion stage, with their shares
THINGS = (5, 6, 8, 9, 10)  # CamVid: tree, sign, car, pedestrian, bicyclist
ONE_REGION = 0.25  # share of these pictures where a class has strokes in one of its regions only
MANY = 11  # classes in a batch that is not of one object


@dataclass
class Batch:
    image: Tensor  # (B, H, W, 3) uint8
    strokes: Tensor  # (B, H, W) uint8
    truth: Tensor  # (B, H, W) uint8
    classes: int


def _load(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def crop(rng, size, image, *labels, least=0.6):
    """A random window of the aspect of ``size``, resized to it; portrait images are turned.

    The window is ``least`` to 1 of the largest that fits; mirrored in every other case.
    """
    if image.shape[0] > image.shape[1]:
        image, labels = image.transpose(1, 0, 2), [one.T for one in labels]
    height, width = image.shape[:2]
    scale = min(height / size[0], width / size[1]) * rng.uniform(least, 1.0)
    h, w = int(size[0] * scale), int(size[1] * scale)
    y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    area = (slice(y, y + h), slice(x, x + w))
    return _resize(rng, size, image[area], *(one[area] for one in labels))


def _resize(rng, size, image, *labels):
    """To ``size``, mirrored in every other case."""
    if rng.random() < 0.5:
        image, labels = image[:, ::-1], [one[:, ::-1] for one in labels]

    def to(array, how):
        return np.asarray(Image.fromarray(np.ascontiguousarray(array)).resize(size[::-1], how))

    nearest = [to(one, Image.Resampling.NEAREST) for one in labels]
    return to(image, Image.Resampling.BICUBIC), *nearest


def jitter(rng, image):
    """Brightness, contrast, saturation and hue-like channel gains."""
    x = image.astype(np.float32) / 255
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(0.6, 1.3)
    x = (x - x.mean()) * rng.uniform(0.7, 1.2) + x.mean() + rng.uniform(-0.1, 0.1)
    x = x * rng.uniform(0.9, 1.1, 3)
    return (x.clip(0, 1) * 255).astype(np.uint8)


def _object(rng, segments):
    """An object: one human segment, or a few that touch; None where none is of a likely size."""
    area = np.bincount(segments.ravel()) / segments.size
    seeds = np.flatnonzero((area > 0.01) & (area < 0.5))
    if len(seeds) == 0:
        return None
    # Things more often than stuff: segments that keep away from the border of the picture.
    border = np.concatenate([segments[0], segments[-1], segments[:, 0], segments[:, -1]])
    share = np.bincount(border, minlength=len(area)) / len(border)
    weight = np.exp(-6 * share[seeds]) * np.sqrt(area[seeds])
    chosen = [int(rng.choice(seeds, p=weight / weight.sum()))]
    for _ in range(rng.choice([0, 1, 2, 3], p=[0.35, 0.27, 0.23, 0.15])):
        mask = np.isin(segments, chosen)
        grown = np.zeros_like(mask)
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        touch = np.bincount(segments[grown & ~mask], minlength=len(area)).astype(float)
        # Parts of one thing share a long border and are not the ground or the sky.
        touch *= (area < 0.25) * np.exp(-8 * share)
        if touch.sum() < 5:
            break
        chosen.append(int(rng.choice(len(area), p=touch / touch.sum())))
    mask = np.isin(segments, chosen)
    return mask.astype(np.uint8) if 0.01 < mask.mean() < 0.6 else None


def _binary(rng, segments):
    truth = _object(rng, segments)
    return None if truth is None else (truth, draw_like_people(rng, truth))


def draw_like_people(rng, truth):
    """Strokes in an object and around it.

    People who draw little start in the middle of a thing and go round it not far away; the places
    are measured on the human strokes of the shared photographs.
    """
    style = int(rng.choice(3, p=[0.5, 0.32, 0.18]))
    if style == 2 or rng.random() < 0.25:
        return simulate_strokes(truth, rng, styles=(THIN, FULL, DENSE)[style])
    inside = ndimage.distance_transform_edt(truth == 1)
    outside = ndimage.distance_transform_edt(truth != 1)
    extent = max(float(np.ptp(places)) + 1 for places in np.nonzero(truth == 1))
    deep = rng.uniform(0.3, 0.7) if style == 0 else rng.uniform(0.05, 0.35)
    near = extent * (rng.uniform(0.03, 0.12) if style == 0 else rng.uniform(0.02, 0.06))
    far = near + max(
        8.0, extent * (rng.uniform(0.1, 0.35) if style == 0 else rng.uniform(0.06, 0.2))
    )
    where = np.full_like(truth, 255)
    where[inside > deep * inside.max()] = 1
    where[(outside > near) & (outside < far) & (truth == 0)] = 0
    if not (where == 0).any():
        return simulate_strokes(truth, rng, styles=(THIN, FULL)[style])
    width = int(rng.integers(3, 6))
    length = ((0.2, 0.5), (0.45, 0.95)) if style == 0 else ((0.3, 0.9), (0.4, 1.0))
    strokes = ((3, 3), (1, 1)) if style == 0 else ((3, 4), (1, 3))
    styles = {k: StrokeStyle(strokes[k], length[k], width, 1.0) for k in (0, 1)}
    return simulate_strokes(where, rng, styles=styles)


def draw_more(rng, truth, strokes, most=12):
    """Strokes and one to ``most`` more of them: what somebody adds after a look at the mask.

    Half of them lie anywhere, half where the nearest stroke is of the wrong class. Without them a
    network takes the places and the number of strokes for a hint at the size of the thing, and each
    stroke that a person would not have begun with misleads it.
    """
    strokes = strokes.copy()
    for _ in range(int(rng.integers(1, most + 1))):
        free = (strokes == 255) & (truth != 255)
        if rng.random() < 0.5:
            nearest = ndimage.distance_transform_edt(
                strokes == 255, return_distances=False, return_indices=True
            )
            wrong = free & (strokes[tuple(nearest)] != truth)
            free = wrong if wrong.any() else free
        places = np.argwhere(free)
        if len(places) == 0:
            break
        y, x = places[rng.integers(len(places))].tolist()
        longest = rng.uniform(0.05, 0.45)
        stroke = draw_through(truth == truth[y, x], (y, x), rng, length=(longest / 2, longest))
        strokes[stroke] = truth[y, x]
    return strokes


def _thing(rng, size, image, labels):
    """A window around one car, person, rider, tree or sign of a street, and strokes for it."""
    parts, count = ndimage.label(labels == rng.choice(THINGS))
    areas = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    fit = np.flatnonzero(areas > 700)
    if len(fit) == 0:
        return None
    mask = parts == int(rng.choice(fit)) + 1
    (y0, y1), (x0, x1) = ((p.min(), p.max() + 1) for p in np.nonzero(mask))
    scale = max((y1 - y0) / size[0], (x1 - x0) / size[1]) * rng.uniform(1.3, 3.0)
    scale = float(np.clip(scale, 0.6, min(labels.shape[0] / size[0], labels.shape[1] / size[1])))
    h, w = int(size[0] * scale), int(size[1] * scale)
    y = int(np.clip((y0 + y1 - h) / 2 + rng.normal(0, 0.1) * h, 0, labels.shape[0] - h))
    x = int(np.clip((x0 + x1 - w) / 2 + rng.normal(0, 0.1) * w, 0, labels.shape[1] - w))
    truth = np.where(labels == 255, 255, mask).astype(np.uint8)[y : y + h, x : x + w]
    image, truth = _resize(rng, size, image[y : y + h, x : x + w], truth)
    if not 0.01 < (truth == 1).mean() < 0.6:
        return None
    return jitter(rng, image), truth, draw_like_people(rng, truth)


def _several(rng, labels, ignore=255):
    """Relabel up to MANY of the classes in ``labels`` to 0..k-1 and draw along their regions."""
    values, counts = np.unique(labels[labels != ignore], return_counts=True)
    values = values[counts > 150]
    if len(values) < 2:
        return None
    values = rng.permutation(values)[:MANY]
    table = np.full(256, 255, np.uint8)
    table[values] = np.arange(len(values))
    truth = table[labels]
    style = CLASSES if rng.random() < 0.7 else StrokeStyle((1, 2), (0.2, 0.7), 3, 3.0)
    every = rng.random() > ONE_REGION
    return truth, simulate_strokes(truth, rng, styles=style, by_component=every, min_area=120)


class Episodes(IterableDataset):
    """Endless batches; each is binary photographs, or several classes."""

    def __init__(self, root: Path, batch: int, seed: int) -> None:
        self.root, self.batch, self.seed = root, batch, seed
        self.bsds = [
            (p, root / "bsds/train/segments" / f"{p.stem}.png")
            for p in sorted((root / "bsds/train/images").iterdir())
        ]
        self.camvid = [
            (p, root / "camvid/trainannot" / f"{p.stem}.png")
            for p in sorted((root / "camvid/train").iterdir())
        ]

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng((self.seed, info.id if info else 0))
        while True:
            kind = rng.choice(["binary", "segments", "street"], p=[0.7, 0.1, 0.2])
            items = []
            while len(items) < self.batch:
                item = self._episode(rng, kind)
                if item is not None:
                    items.append(item)
            image, truth, strokes = (
                torch.from_numpy(np.stack(x)) for x in zip(*items, strict=True)
            )
            if rng.random() < 0.4:
                image, truth, strokes = (
                    t.transpose(1, 2).contiguous() for t in (image, truth, strokes)
                )
            yield Batch(image, strokes, truth, 2 if kind == "binary" else MANY)

    def _episode(self, rng, kind, size=SIZE):
        source = self.camvid if kind in ("street", "thing") else self.bsds
        path, labels = source[rng.integers(len(source))]
        labels = _load(labels)
        if source is self.camvid:
            labels = np.where(labels >= 11, 255, labels).astype(np.uint8)
        if kind == "thing":
            return _thing(rng, size, np.asarray(Image.open(path).convert("RGB")), labels)
        image, labels = crop(rng, size, np.asarray(Image.open(path).convert("RGB")), labels)
        drawn = _binary(rng, labels) if kind == "binary" else _several(rng, labels)
        if drawn is None or len(np.unique(drawn[1])) < 3:
            return None
        return jitter(rng, image), drawn[0], drawn[1]


def pooled(args, data):
    """Items of ``data`` and whether each is new, from a pool that grows: drawing costs more."""
    fresh = iter(
        DataLoader(
            data,
            batch_size=None,
            num_workers=args.workers,
            prefetch_factor=4 if args.workers else None,
        )
    )
    rng = np.random.default_rng(args.seed)
    pool: list = []
    while True:
        if len(pool) < args.reuse or rng.random() < 1 / args.reuse:
            pool.append(next(fresh))
            if len(pool) > args.pool:
                pool[int(rng.integers(len(pool)))] = pool.pop()
            yield pool[-1], True
        else:
            yield pool[int(rng.integers(len(pool)))], False


def batches(args):
    """Endless batches; those seen before are mirrored and coloured anew."""
    rng = np.random.default_rng(args.seed)
    for batch, new in pooled(args, Episodes(args.data, args.batch, args.seed)):
        yield batch if new else _vary(rng, batch)


def _vary(rng, batch: Batch) -> Batch:
    image, strokes, truth = batch.image, batch.strokes, batch.truth
    for axis in (1, 2):
        if rng.random() < (0.5 if axis == 2 else 0.2):
            image, strokes, truth = image.flip(axis), strokes.flip(axis), truth.flip(axis)
    return Batch(torch.from_numpy(jitter(rng, image.numpy())), strokes, truth, batch.classes)
