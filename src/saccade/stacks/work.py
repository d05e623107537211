"""From the planes of a stack and their strokes to masks, slab by slab."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.interactive.finish import at_full_size, refine
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import PottsSettings, Preset
from saccade.interactive.refinement import gini_uncertainty, refine_stack
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run
from saccade.interactive.shared import SharedFit, fit_kind, probabilities_of
from saccade.interactive.stroke_maps import StrokeMaps
from saccade.interactive.stroked import prepare_strokes
from saccade.interactive.thin import for_thin, with_regression
from saccade.stacks.collected import Collected
from saccade.stacks.distances import PlaneStrokes, plane_strokes, stack_distances
from saccade.stacks.preparing import Preparer, without_maps
from saccade.stacks.slabs import Slab, slab_length, slabs
from saccade.stacks.strokes import StackStrokes

FITTED = 0.2
"""Share of the progress before planes are segmented."""

_MOST_FITTED = (
    16  # planes whose strokes are fitted to, a gigabyte; all of them count where they are
)
_PREDICTED = 0.7  # share of a plane's time after which it waits for its slab


@dataclass(frozen=True)
class _Plane:
    """What is kept of a plane until its slab is partitioned."""

    image: PreparedImage
    strokes: StrokeMaps
    probabilities: Tensor
    guide: Tensor


class Work:
    """The stages of one stack."""

    def __init__(
        self, preparer: Preparer, strokes: StackStrokes, preset: Preset, seed: int, run: Run
    ) -> None:
        self._preparer, self._strokes, self._preset = preparer, strokes, preset
        self._seed, self._run = seed, run
        self._planes: dict[tuple[int, int], _Plane] = {}
        self._drawn: dict[tuple[int, int], PlaneStrokes] = {}
        self._step = run.inner(FITTED, 1.0, "planes")
        self._image = preparer.planes.image
        self._half_size = (1, 1)  # of a plane, once one is prepared
        self._spent, self._each = 0.0, 1.0 / len(preparer.planes.places)

    def fit(self) -> tuple[SharedFit, tuple[str, ...]]:
        """One fit to the strokes of all planes, or of some where there are very many."""
        stroked = _chosen(self._strokes)
        remarks: tuple[str, ...] = ()
        if len(stroked) < len(self._strokes.stroked):
            every = len(self._strokes.stroked)
            remarks = (f"the fit is to {len(stroked)} of the {every} planes with strokes",)
        images = []
        for place in stroked:
            image = self._preparer.prepare(place)
            self._half_size = image.half_size
            images.append(prepare_strokes(image, *self._index(place), self._preset))
        self._run.report(FITTED / 2, "fit")
        fit = fit_kind(images, self._preset, seed=self._seed)
        for place, one in zip(stroked, images, strict=True):
            guide = one.image.standardized_lab
            self._drawn[place] = plane_strokes(one.strokes.strokes_half, guide, fit.known.stroked)
        if fit.thin:
            self._preset = for_thin(self._preset)
            remarks = (*remarks, "its structures are thin: slices are joined weakly")
        return fit, remarks

    def segment(self, fit: SharedFit, t: int | None, result: Collected) -> None:
        """All slices of one time, or all times where there are no slices."""
        count = self._image.count("T" if t is None else "Z")
        for slab in slabs(count, self._slab_length()):
            if self._run.cancelled:
                return
            if not result.take([_place(t, i) for i in slab.owned]):
                self._segment_slab(fit, t, slab, result)
            elif not self._advance(len(slab.owned)):
                return

    def _segment_slab(self, fit: SharedFit, t: int | None, slab: Slab, result: Collected) -> None:
        needed = [_place(t, i) for i in slab.needed]
        self._planes = {place: self._planes[place] for place in needed if place in self._planes}
        for place in needed:
            if place not in self._planes:
                self._planes[place] = self._predict(fit, place)
                if not self._advance(_PREDICTED):
                    return
        kept = [self._planes[place] for place in needed]
        joined = _join(kept, self._preset, self._depth())
        for number, place in enumerate(needed):
            if place[0 if t is None else 1] in slab.owned:
                plane = self._planes[place]
                result.add(place, _finish(plane, joined[:, number], self._preset))
                if not self._advance(1 - _PREDICTED):
                    return

    def _predict(self, fit: SharedFit, place: tuple[int, int]) -> _Plane:
        image = self._preparer.prepare(place)
        strokes = prepare_strokes(image, *self._index(place), self._preset).strokes
        guide = image.standardized_lab.clone()
        if fit.thin and not self._shows_all(fit, strokes):
            return self._thin_plane(fit, image, strokes, guide)
        drawn = dict(self._drawn)
        if bool((strokes.strokes_half < strokes.count).any()):
            drawn[place] = plane_strokes(strokes.strokes_half, guide, fit.known.stroked)
        distances = None
        if self._preset.fusion:
            classes = len(fit.known.stroked)
            distances = stack_distances(place, guide, drawn, classes, depth=self._depth())
        found = probabilities_of(
            fit, image, strokes, self._preset, seed=self._seed, distances=distances
        )
        return _Plane(without_maps(image), strokes, found, guide)

    def _shows_all(self, fit: SharedFit, strokes: StrokeMaps) -> bool:
        return set(fit.known.stroked.tolist()) <= set(strokes.stroked.tolist())

    def _thin_plane(
        self, fit: SharedFit, image: PreparedImage, strokes: StrokeMaps, guide: Tensor
    ) -> _Plane:
        """One that the strokes of others say little about: thin things move between slices."""
        none = np.full(image.size, strokes.count, np.int64)
        bare = prepare_strokes(image, none, strokes.classes, self._preset).strokes
        found = probabilities_of(fit, image, bare, self._preset, seed=self._seed)
        if fit.regression is not None:
            odds = fit.regression.log_odds(image.rich)
            found = with_regression(found, odds, fit.known.stroked)
        return _Plane(without_maps(image), strokes, found, guide)

    def _index(self, place: tuple[int, int]) -> tuple[NDArray[np.int64], tuple[int, ...]]:
        return self._strokes.index[place].astype(np.int64), self._strokes.classes

    def _advance(self, planes: float) -> bool:
        self._spent += planes * self._each
        return self._step(min(1.0, self._spent))

    def _slab_length(self) -> int:
        return slab_length(self._image.size, self._half_size, len(self._strokes.classes))

    def _depth(self) -> float:
        """Distance of slices in pixels at half size, at least 1; 1 where it is not known."""
        size = self._image.pixel_size
        if self._image.count("Z") < 2 or not {"Z", "Y", "X"} <= size.keys():
            return 1.0
        height = float(abs(size["Y"]) * self._image.size[0] / self._half_size[0])
        width = float(abs(size["X"]) * self._image.size[1] / self._half_size[1])
        return max(1.0, float(abs(size["Z"])) / math.sqrt(height * width))


def _place(t: int | None, index: int) -> tuple[int, int]:
    return (index, 0) if t is None else (t, index)


def _chosen(strokes: StackStrokes) -> list[tuple[int, int]]:
    """Planes to fit to: all with strokes, or evenly some of them, of each class at least one."""
    stroked = strokes.stroked
    if len(stroked) <= _MOST_FITTED:
        return stroked
    picked = {stroked[i * len(stroked) // _MOST_FITTED] for i in range(_MOST_FITTED)}
    for k in range(len(strokes.classes)):
        showing = [place for place in stroked if (strokes.index[place] == k).any()]
        if showing and not picked & set(showing):
            picked.add(showing[len(showing) // 2])
    return sorted(picked)


def _join(planes: Sequence[_Plane], preset: Preset, depth: float) -> Tensor:
    """Probabilities (K, Z, h / 2, w / 2) after the partition in three dimensions."""
    assert isinstance(preset.refine, PottsSettings)
    return refine_stack(
        torch.stack([plane.probabilities for plane in planes], 1),
        torch.stack([plane.strokes.strokes_half for plane in planes]),
        torch.stack([plane.guide for plane in planes], 1),
        preset.refine,
        depth=depth,
    )


def _finish(plane: _Plane, joined: Tensor, preset: Preset) -> Segmentation:
    """Bring one plane to its own size; its partition at half size is made already."""
    uncertainty = gini_uncertainty(plane.probabilities)
    fine = refine(plane.image, plane.strokes, joined, preset, Run(), half=False)
    return at_full_size(plane.image, plane.strokes, fine, uncertainty, preset)
