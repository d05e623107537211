"""What is wrong with a data set, and what is in it, before hours of training are spent on it."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade.data.sets import LabeledSet
from saccade.data.specs import IGNORE
from saccade.errors import InputError
from saccade.images import decoded_size


@dataclass(frozen=True)
class Findings:
    """What `inspect` data.

    Attributes:
        problems: one line each, naming file, what is wrong and what would be right.
        pixels: (K,) int64 labelled pixels per class.
        images: (K,) int64 images in which the class occurs.
        ignored: pixels without a class.
        sizes: (N, 2) heights and widths of the images that could be read.
        digest: hexadecimal digits that change with the class of any pixel of any mask, be it by
            another file or by another mapping of its values.
    """

    problems: tuple[str, ...]
    pixels: NDArray[np.int64]
    images: NDArray[np.int64]
    ignored: int
    sizes: NDArray[np.int64]
    digest: str


def inspect(
    data: LabeledSet, progress: Callable[[int, int], None] | None = None, *, threads: int = 4
) -> Findings:
    """Decode every mask and every image: the header of half a file is as good as a whole one's.

    Args:
        data: the set.
        progress: told how many of how many examples are done.
        threads: that read.
    """
    classes = len(data.spec.names)
    pixels, images = np.zeros(classes, np.int64), np.zeros(classes, np.int64)
    ignored, problems, sizes = 0, list[str](), list[tuple[int, int]]()
    digest = hashlib.sha256()
    for done, (problem, counts, size, labels) in enumerate(_inspect_all(data, threads)):
        digest.update(labels)
        if problem:
            problems.append(problem)
        if counts is not None:
            pixels += counts[:classes]
            images += counts[:classes] > 0
            ignored += int(counts[IGNORE])
        if size is not None:
            sizes.append(size)
        if progress is not None:
            progress(done + 1, len(data.examples))
    found = np.array(sizes, np.int64).reshape(-1, 2)
    return Findings(tuple(problems), pixels, images, ignored, found, digest.hexdigest())


def require_sound(findings: Findings) -> None:
    """Raise InputError with the first problem and their number, if there is any."""
    if not findings.problems:
        return
    others = len(findings.problems) - 1
    more = f" (and {others} more files; saccade check-data lists them)" if others else ""
    raise InputError(findings.problems[0] + more)


_One = tuple[str, NDArray[np.int64] | None, tuple[int, int] | None, bytes]


def _inspect_all(data: LabeledSet, threads: int) -> Iterator[_One]:
    """Problem, counts of the 256 labels, size of the image, digest of the labels; in order."""

    def one(index: int) -> _One:
        example = data.examples[index]
        size = None
        try:
            size = decoded_size(example.image)
        except InputError as error:
            return str(error), None, None, b""
        try:
            labels = data.labels(index)
        except InputError as error:
            return str(error), None, size, b""
        counts = np.bincount(labels.ravel(), minlength=256)
        shape = np.array(labels.shape, np.int64).tobytes()
        digest = hashlib.sha256(shape + labels.tobytes()).digest()
        if labels.shape != size:
            return (
                f"{example.mask}: {labels.shape[1]} x {labels.shape[0]} pixels (width x height), "
                f"its image has {size[1]} x {size[0]}",
                counts,
                size,
                digest,
            )
        return "", counts, size, digest

    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(one, range(len(data.examples)))
