"""What stands in a set of masks: values or colors, how often, and in how many images."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.data.examples import read_values
from saccade.data.palette import pack_rgb
from saccade.errors import InputError
from saccade.images import image_size

MOST_KEPT = 256
"""Of the values of one mask the most frequent ones are counted; photographs have more."""


@dataclass(frozen=True)
class Survey:
    """What stands in masks.

    Attributes:
        colored: the masks are color images, and values are 0xRRGGBB.
        pixels: value -> pixels of all masks.
        images: value -> masks that have it.
        largest: value -> largest share of the pixels of one mask, in [0, 1].
        most: largest number of different values in one mask.
        counts: of each mask, how many values other than 0 it has, and its largest value.
        problems: a line for each mask that cannot be used.
        broken: these masks.
    """

    colored: bool
    pixels: Counter[int]
    images: Counter[int]
    largest: dict[int, float]
    most: int
    counts: tuple[tuple[int, int], ...]
    problems: tuple[str, ...] = ()
    broken: frozenset[Path] = field(default_factory=frozenset)


@dataclass(frozen=True)
class _One:
    colored: bool
    values: NDArray[np.int64]
    pixels: NDArray[np.int64]
    most: int
    numbers: tuple[int, int] = (0, 0)
    problem: str = ""


def survey(
    pairs: Iterable[tuple[Path, Path]],
    progress: Callable[[int], None] = lambda done: None,
    *,
    threads: int = 4,
) -> Survey:
    """Read all masks, those of another size than their image left out.

    Args:
        pairs: of image and mask.
        progress: told how many are done.
        threads: that read.

    Raises:
        InputError: no mask can be used, or some are of colors and others of values.
    """
    pixels, images = Counter[int](), Counter[int]()
    largest: dict[int, float] = {}
    problems, broken, colored, counts, most = list[str](), set[Path](), set[bool](), [], 0
    pairs = list(pairs)
    with ThreadPoolExecutor(threads) as pool:
        for done, (pair, one) in enumerate(zip(pairs, pool.map(_look_at, pairs), strict=True), 1):
            progress(done)
            if one.problem:
                problems.append(one.problem)
                broken.add(pair[1])
                continue
            colored.add(one.colored)
            most = max(most, one.most)
            counts.append(one.numbers)
            total = int(one.pixels.sum())
            for value, count in zip(one.values.tolist(), one.pixels.tolist(), strict=True):
                pixels[value] += count
                images[value] += 1
                largest[value] = max(largest.get(value, 0.0), count / total)
    if not counts:
        raise InputError(problems[0] if problems else "no masks")
    if len(colored) > 1:
        raise InputError(
            f"{pairs[0][1].parent}: some masks are color images and some are not, expected one kind"
        )
    return Survey(
        colored.pop(),
        pixels,
        images,
        largest,
        most,
        tuple(counts),
        tuple(problems),
        frozenset(broken),
    )


def _look_at(pair: tuple[Path, Path]) -> _One:
    nothing = np.zeros(0, np.int64)
    try:
        values = read_values(pair[1])
        size = image_size(pair[0])
    except InputError as error:
        return _One(False, nothing, nothing, 0, problem=str(error))
    if values.shape[:2] != size:
        own, its = (f"{shape[1]} x {shape[0]}" for shape in (values.shape, size))
        problem = f"{pair[1]}: {own} pixels (width x height), its image has {its}"
        return _One(False, nothing, nothing, 0, problem=problem)
    colored = values.ndim == 3
    flat = pack_rgb(np.asarray(values, np.uint8)) if colored else values
    found, count = np.unique(flat, return_counts=True)
    common = np.argsort(-count, kind="stable")[:MOST_KEPT]
    return _One(
        colored,
        found[common].astype(np.int64),
        count[common].astype(np.int64),
        len(found),
        (int((found > 0).sum()), int(found.max())),
    )
