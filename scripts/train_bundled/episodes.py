"""Episodes of BSDS and CamVid: an object or several classes in a photograph, and strokes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy import ndimage

from saccade.scribbles.simulate import CLASSES, StrokeStyle, simulate_strokes
from scripts.train_bundled.fields import FIELDS
from scripts.train_bundled.strokes import draw_like_people
from scripts.train_bundled.windows import (
    Episode,
    Image8,
    Labels,
    Rng,
    Size,
    crop,
    jitter,
    load_labels,
    load_photo,
    resize,
)

SIZE = (224, 320)
THINGS = (5, 6, 8, 9, 10)  # CamVid: tree, sign, car, pedestrian, bicyclist
ONE_REGION = 0.25  # share of these pictures where a class has strokes in one of its regions only
MANY = 11  # classes in a batch that is not of one object
ALSO_IN_ECSSD = frozenset(("163062", "41004", "56028"))  # of BSDS: clicks are counted on these
OF_BSDS, OF_CAMVID = ("binary", "segments"), ("street", "thing")


class Photographs:
    """The photographs of both sets under a root, and episodes of them.

    Args:
        root: of the data.
        shares: kinds of episodes; a set is looked for where a kind shows it.
    """

    def __init__(self, root: Path, shares: Iterable[str]) -> None:
        kinds = set(shares)
        bsds, camvid = root / "bsds/train", root / "camvid"
        of_bsds, of_camvid = {*OF_BSDS, "many", "elsewhere"}, {*OF_CAMVID, "elsewhere"}
        self.bsds = _pairs(bsds / "images", bsds / "segments") if kinds & of_bsds else []
        self.camvid = _pairs(camvid / "train", camvid / "trainannot") if kinds & of_camvid else []

    def labels(self, rng: Rng, kind: str, size: Size) -> tuple[Image8, Labels] | None:
        """Image and mask of an object (*binary*) or a class (*street*), without strokes."""
        street = kind in OF_CAMVID
        source = self.camvid if street else self.bsds
        path, labels_path = source[rng.integers(len(source))]
        image, labels = crop(rng, size, load_photo(path), load_labels(labels_path), least=0.35)
        mask = _one_class(rng, labels) if street else _object(rng, labels)
        return None if mask is None else (jitter(rng, image), mask)

    def object_of(self, rng: Rng, labels_path: Path) -> Labels | None:
        """The mask of an object in human segments; None where none is of a likely size."""
        return _object(rng, load_labels(labels_path))

    def episode(self, rng: Rng, kind: str, size: Size = SIZE) -> Episode | None:
        """One of a kind; None where the photograph that was drawn has none."""
        street = kind in OF_CAMVID
        source = self.camvid if street else self.bsds
        path, labels_path = source[rng.integers(len(source))]
        labels = load_labels(labels_path)
        if street:
            labels = np.where(labels >= MANY, 255, labels).astype(np.uint8)
        if kind == "thing":
            return _thing(rng, size, load_photo(path), labels)
        image, labels = crop(rng, size, load_photo(path), labels)
        drawn = _binary(rng, labels) if kind == "binary" else _several(rng, labels)
        if drawn is None or len(np.unique(drawn[1])) < 3:
            return None
        return jitter(rng, image), drawn[0], drawn[1]


def learned_from(shares: Iterable[str]) -> tuple[str, ...]:
    """Names of the data sets that these kinds of episodes show."""
    kinds = set(shares)
    sets = {
        "bsds": {*OF_BSDS, "many", "parts", "elsewhere"},
        "camvid": {*OF_CAMVID, "classes", "elsewhere"},
        "iseg": {"object"},
        "objects": {"clicks", "whole", "things"},
        **{name: {"field", "elsewhere"} for name in FIELDS},
    }
    return tuple(name for name, shown in sets.items() if kinds & shown)


def _pairs(photos: Path, labels: Path) -> list[tuple[Path, Path]]:
    return [
        (path, labels / f"{path.stem}.png")
        for path in sorted(photos.iterdir())
        if path.stem not in ALSO_IN_ECSSD
    ]


def _one_class(rng: Rng, labels: Labels) -> Labels | None:
    """The mask of one class of a street; None where there is none of a likely size."""
    area = np.bincount(labels.ravel(), minlength=256)[:MANY] / labels.size
    likely = np.flatnonzero((area > 0.01) & (area < 0.8))
    return (labels == rng.choice(likely)).astype(np.uint8) if len(likely) else None


def _object(rng: Rng, segments: Labels) -> Labels | None:
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


def _binary(rng: Rng, segments: Labels) -> tuple[Labels, Labels] | None:
    truth = _object(rng, segments)
    return None if truth is None else (truth, draw_like_people(rng, truth))


def _thing(rng: Rng, size: Size, image: Image8, labels: Labels) -> Episode | None:
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
    image, truth = resize(rng, size, image[y : y + h, x : x + w], truth)
    if not 0.01 < (truth == 1).mean() < 0.6:
        return None
    return jitter(rng, image), truth, draw_like_people(rng, truth)


def _several(rng: Rng, labels: Labels, ignore: int = 255) -> tuple[Labels, Labels] | None:
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
