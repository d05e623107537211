"""On which image strokes would help most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.fitted.items import Picture, Source
from saccade.images import Reading
from saccade.interactive.run import Run


@dataclass(frozen=True)
class ImageSuggestion:
    """An image of a kind on which strokes would help.

    Attributes:
        number: its place among the images to choose from, from 0.
        name: of its file, or "image 3" of the third array.
        score: `uncertain_share` of its mask, in [0, 1].
        unlike: whether it looks like none of the images with strokes.
    """

    number: int
    name: str
    score: float
    unlike: bool = False


def uncertain_share(
    labels: NDArray[np.integer[Any]], uncertainty: NDArray[np.floating[Any]]
) -> float:
    """How unsure a mask is, in [0, 1]: its uncertainty by the area of all but the largest class.

    Few small things on a large ground leave most pixels sure, also where all of them are missed.

    >>> labels, uncertainty = np.zeros((10, 10), int), np.zeros((10, 10))
    >>> labels[0, :4], uncertainty[0, 3] = 1, 1
    >>> uncertain_share(labels, uncertainty), uncertain_share(labels * 0, uncertainty)
    (0.25, 1.0)
    """
    others = labels.size - int(np.bincount(labels.ravel()).max())
    total = float(uncertainty.sum(dtype=np.float64))
    return min(1.0, total / others) if others else 1.0


def rank_images(
    sources: Sequence[Source],
    how: Reading,
    score: Callable[[Picture], tuple[float, bool] | None],
    run: Run,
) -> list[ImageSuggestion]:
    """The images by their scores, the highest first.

    Args:
        sources: to choose from.
        how: they are read.
        score: of an image, and whether it is unlike the others; None where it is passed over.
        run: progress; once it is cancelled those so far are ranked.
    """
    found = []
    for number, source in enumerate(sources):
        picture = source.read(how)
        if not run.inner(0.0, 1.0, picture.name)(number / len(sources)):
            break
        value = score(picture)
        if value is not None:
            found.append(ImageSuggestion(number, picture.name, *value))
    return sorted(found, key=lambda one: -one.score)
