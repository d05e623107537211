"""How the time of a method scales with the pixels and with the classes of an image."""

import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmarks.harness.checks import Check
from benchmarks.harness.datasets import UNLABELED, Labels, Pair, resized
from benchmarks.harness.timing import timed
from benchmarks.peers.methods import Method
from saccade.evaluation.metrics import confusion_matrix, mean_iou

PIXELS, CLASSES = "megapixels", "classes"


@dataclass(frozen=True)
class Point:
    """One method at one size, over all images."""

    axis: str  # "megapixels" or "classes"
    size: float  # in millions, or a count
    method: str
    seconds: float  # of processor time, median over the images: others may use the machine
    scores: tuple[float, ...]  # mean IoU over classes of each image


def over_pixels(
    pairs: Sequence[Pair], methods: Sequence[Method], megapixels: Iterable[float], patience: float
) -> list[Point]:
    """Two classes, each photograph and its strokes resized to so many megapixels."""

    def scaled(pair: Pair, size: float) -> Pair:
        height, width = pair.truth.shape
        factor = math.sqrt(size * 1e6 / (height * width))
        return resized(pair, (round(height * factor), round(width * factor)))

    return _measure(PIXELS, pairs, methods, megapixels, scaled, patience)


def over_classes(
    pairs: Sequence[Pair], methods: Sequence[Method], classes: Iterable[int], patience: float
) -> list[Point]:
    """Photographs at their own size, cut into so many regions with a stroke in each."""
    return _measure(CLASSES, pairs, methods, classes, lambda p, k: in_regions(p, int(k)), patience)


def in_regions(pair: Pair, count: int, *, seed: int = 0) -> Pair:
    """The photograph divided among ``count`` spread points, a stroke of 3x13 pixels at each.

    The truth are the cells of the points (Voronoi), whatever is in the picture: it is for the time
    that many classes take. Each point is the one farthest from those before among random ones.
    """
    height, width = pair.truth.shape
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1, (1, 2)) * (height, width)
    while len(points) < count:
        offered = rng.uniform(0, 1, (64, 2)) * (height, width)
        nearest = np.linalg.norm(offered[:, None] - points, axis=2).min(1)
        points = np.vstack([points, offered[nearest.argmax()]])
    grid = np.stack(np.mgrid[:height, :width], 2)
    truth = np.zeros((height, width), np.uint8)
    closest = np.full((height, width), np.inf)
    for value, point in enumerate(points):
        distance = ((grid - point) ** 2).sum(2)
        truth[distance < closest] = value
        closest = np.minimum(closest, distance)
    strokes = np.full((height, width), UNLABELED, np.uint8)
    for value, (y, x) in enumerate(points.astype(int)):
        window = np.s_[max(0, y - 1) : y + 2, max(0, x - 6) : x + 7]
        strokes[window] = np.where(truth[window] == value, value, strokes[window])
    return Pair(pair.stem, pair.image, strokes, truth)


def exponent(points: Sequence[Point]) -> float:
    """Slope of log time over log size by least squares; 1 is linear. NaN for fewer than two."""
    if len(points) < 2:
        return math.nan
    sizes, seconds = zip(*((p.size, p.seconds) for p in points), strict=True)
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def of_method(points: Iterable[Point], axis: str, method: str) -> list[Point]:
    """The curve of one method over one axis."""
    return [p for p in points if (p.axis, p.method) == (axis, method)]


def score_table(points: Sequence[Point], axis: str) -> str:
    """Mean IoU over the images, a line for each method, a column for each size."""
    curves = {p.method: of_method(points, axis, p.method) for p in points if p.axis == axis}
    sizes = sorted({p.size for curve in curves.values() for p in curve})
    width = max(map(len, [*curves, "mIoU at MP"]))
    head = f"{'mIoU at MP' if axis == PIXELS else axis:{width}}"
    lines = [head + "".join(f"{size:>8g}" for size in sizes)]
    for method, curve in curves.items():
        means = {p.size: f"{np.mean(p.scores):.3f}" for p in curve}
        lines.append(f"{method:{width}}" + "".join(f"{means.get(s, '-'):>8}" for s in sizes))
    return "\n".join(lines)


def checks(points: Sequence[Point], ours: str) -> list[Check]:
    """The exponents of all methods; ours must not exceed 1."""
    found = []
    for axis in (PIXELS, CLASSES):
        for method in dict.fromkeys(p.method for p in points if p.axis == axis):
            curve = of_method(points, axis, method)
            if len(curve) > 1:
                span = f"{curve[0].size:g} to {curve[-1].size:g} {axis}"
                bound = 1.0 if method == ours else None
                found.append(Check(f"exponent of {method}, {span}", exponent(curve), bound))
    return found


def _measure(
    axis: str,
    pairs: Sequence[Pair],
    methods: Sequence[Method],
    sizes: Iterable[float],
    make: Callable[[Pair, float], Pair],
    patience: float,
) -> list[Point]:
    """Every method on every image at every size, until it would take longer than ``patience``.

    What it would take is its last time grown in proportion to the size.
    """
    points: list[Point] = []
    last: dict[str, Point] = {}
    for size in sorted(sizes):
        able = [m for m in methods if _can(m, axis, size, last.get(m.name), patience)]
        taken, scores = defaultdict(list), defaultdict(list)
        for pair in (make(pair, size) for pair in pairs):  # one large image at a time
            for method in able:
                if method.name not in last and not taken[method.name]:
                    method.on(pair.stem)(pair.image, pair.strokes.copy(), 0)  # libraries load
                call = timed(partial(method.on(pair.stem), pair.image, pair.strokes.copy(), 0))
                taken[method.name].append(call.processor)
                scores[method.name].append(_score(pair, call.result))
        for name, seconds in taken.items():
            last[name] = Point(axis, size, name, float(np.median(seconds)), tuple(scores[name]))
            points.append(last[name])
        progress = ", ".join(
            f"{name} {np.median(seconds):.2f} s" for name, seconds in taken.items()
        )
        print(f"[{size:g} {axis}] {progress}", file=sys.stderr, flush=True)
    return points


def _can(method: Method, axis: str, size: float, last: Point | None, patience: float) -> bool:
    if method.two_classes and axis == CLASSES and size > 2:
        return False
    return last is None or last.seconds * size / last.size <= patience


def _score(pair: Pair, labels: Labels) -> float:
    classes = int(pair.strokes[pair.strokes != UNLABELED].max()) + 1
    return mean_iou(confusion_matrix(pair.truth, labels, classes, UNLABELED))
