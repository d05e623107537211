"""How well a fit predicts strokes that it has not seen, and how sure it may be.

A fit is asked about the strokes of each image in turn, as a fit to the others sees that image. The
same answers say by which temperature probabilities of images without strokes are softened: that at
which the cross-entropy at the strokes is least. Strokes go along the middle of things, so they are
easier than the pixels of a mask: probabilities are never made surer than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from saccade.fitted.stroked import StrokedImage
from saccade.interactive.presets import Preset
from saccade.interactive.run import Run
from saccade.interactive.shared import fit_kind, segment_shared

_LEAST = 0.01  # probability: what is surely wrong counts no more than this
_TEMPERATURES = 1.0, 2.0  # with few strokes it would be anything, see docs/notes/uncertainty.md


@dataclass(frozen=True)
class HeldOut:
    """Share of stroke pixels that get their class from a fit to the other images' strokes.

    Attributes:
        of_class: class value to share, in [0, 1]; classes that one image alone shows are left
            out.
        images: how many were held out; 0 where one image alone has strokes.
        temperature: by which probabilities of images without strokes are softened, at least 1.
    """

    of_class: dict[int, float]
    images: int
    temperature: float = 1.0

    @property
    def mean(self) -> float | None:
        """Over the classes; None where nothing could be held out."""
        return float(np.mean(list(self.of_class.values()))) if self.of_class else None


def score_held_out(
    stroked: Sequence[StrokedImage],
    classes: tuple[int, ...],
    preset: Preset,
    *,
    seed: int = 0,
    run: Run,
) -> HeldOut:
    """Hold out the strokes of each image in turn.

    Args:
        stroked: images with strokes.
        classes: the K class values.
        preset: of the fit.
        seed: of everything drawn at random.
        run: progress.
    """
    every = [one.ready for one in stroked]
    right, total = np.zeros(len(classes)), np.zeros(len(classes))
    images, answers = 0, []
    for number, one in enumerate(every):
        run.report(number / len(every), f"without {stroked[number].name}")
        others = [*every[:number], *every[number + 1 :]]
        known = {k for other in others for k in other.strokes.stroked.tolist()}
        index = one.strokes.stroke_index
        asked = [k for k in one.strokes.stroked.tolist() if k in known]
        if len(known) < 2 or not asked:
            continue
        images += 1
        fit = fit_kind(others, preset, seed=seed)
        found = segment_shared(fit, one.image, preset, seed=seed)
        there = np.isin(index, asked)
        answers.append((found.probabilities[:, there], index[there]))
        for k in asked:
            there = index == k
            right[k] += (found.labels[there] == classes[k]).mean()
            total[k] += 1
    shares = {classes[k]: float(right[k] / total[k]) for k in range(len(classes)) if total[k] > 0}
    return HeldOut(shares, images, temperature_of(answers) if answers else 1.0)


def temperature_of(answers: Sequence[tuple[NDArray[np.floating], NDArray[np.integer]]]) -> float:
    """The temperature of least mean cross-entropy, in [1, 2], each image counting alike.

    Args:
        answers: of each image probabilities (K, n) and the right classes (n,).

    >>> sure = np.array([[0.9, 0.9, 0.9, 0.9], [0.1, 0.1, 0.1, 0.1]])
    >>> right, half = np.array([0, 0, 0, 0]), np.array([0, 1, 0, 1])
    >>> temperature_of([(sure, right)]), temperature_of([(sure, half)])
    (1.0, 2.0)
    """
    logs = [(np.log(p.astype(np.float64).clip(_LEAST, 1 - _LEAST)), k) for p, k in answers]

    def entropy(log_factor: float) -> float:
        factor = np.exp(-log_factor)
        each = [log_softmax(x * factor, axis=0)[k, np.arange(len(k))].mean() for x, k in logs]
        return -float(np.mean(each))

    lowest, highest = np.log(_TEMPERATURES)
    found = minimize_scalar(entropy, bounds=(lowest, highest), method="bounded").x
    ends = {value: entropy(value) for value in (lowest, float(found), highest)}
    return float(np.exp(min(ends, key=ends.__getitem__)))
