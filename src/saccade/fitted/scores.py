"""How well a fit predicts strokes that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from saccade.fitted.stroked import StrokedImage
from saccade.interactive.presets import Preset
from saccade.interactive.run import Run
from saccade.interactive.shared import fit_kind, segment_shared


@dataclass(frozen=True)
class HeldOut:
    """Share of stroke pixels that get their class from a fit to the other images' strokes.

    Attributes:
        of_class: class value to share, in [0, 1]; classes that one image alone shows are left
            out.
        images: how many were held out; 0 where one image alone has strokes.
    """

    of_class: dict[int, float]
    images: int

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
    images = 0
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
        labels = segment_shared(fit, one.image, preset, seed=seed).labels
        for k in asked:
            there = index == k
            right[k] += (labels[there] == classes[k]).mean()
            total[k] += 1
    shares = {classes[k]: float(right[k] / total[k]) for k in range(len(classes)) if total[k] > 0}
    return HeldOut(shares, images)
