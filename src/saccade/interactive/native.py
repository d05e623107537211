"""A large image in windows, each at its own scale: one fit for all, masks joined without seams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.finish import at_full_size, refine
from saccade.interactive.objects import Box
from saccade.interactive.pipeline import Fitted, segment_prepared
from saccade.interactive.prepared import PreparedImage, prepare_image
from saccade.interactive.presets import LearnedFitSettings, Preset
from saccade.interactive.refinement import gini_uncertainty
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run
from saccade.interactive.scale import Window, grid_of, windows_of
from saccade.interactive.shared import (
    SharedFit,
    Stroked,
    fit_shared,
    prepare_strokes,
    probabilities_of,
)
from saccade.interactive.stroke_maps import stroke_maps
from saccade.models.features import UNCHANGED, Statistics, statistics_of
from saccade.models.scribble_net import ScribbleNet

_FITTED = 9  # windows with strokes to which is fitted, at most, and those of missing classes
_SAMPLED = 4  # windows from which the statistics of features are taken
_FIT_SHARE = 0.2  # of the progress


def segment_at_scale(
    image: PreparedImage,
    stroke_index: NDArray[np.int64],
    classes: tuple[int, ...],
    preset: Preset,
    *,
    seed: int = 0,
    run: Run | None = None,
    warm_start: ScribbleNet | None = None,
    last: Tensor | None = None,
    discard_cancelled: bool = False,
) -> Fitted | None:
    """`segment_prepared`, in windows where what is stroked is small, see `scale`.

    Args:
        image: as there, and what follows too.
        stroke_index: (H, W).
        classes: the K class values.
        preset: all settings.
        seed: of everything drawn at random.
        run: progress, cancelling, previews and timings.
        warm_start: a fitted network from which the paper's optimisation goes on.
        last: (K, h', w') probabilities of the mask that the strokes correct, `Fitted.half`.
        discard_cancelled: whether a cancelled run gives None.
    """
    run = run or Run()
    learned = isinstance(preset.fit, LearnedFitSettings) and preset.fusion
    grid = grid_of(image, stroke_index, len(classes)) if learned else 1
    if grid > 1:
        fitted = _Windows(image, stroke_index, classes, preset, grid, seed).segment(run, last)
        if fitted is not None or discard_cancelled:
            return fitted
    if last is not None and last.shape[1:] != image.half_size:
        last = F.interpolate(last[None].float(), image.half_size, mode="area")[0]
    return segment_prepared(
        image,
        stroke_index,
        classes,
        preset,
        seed=seed,
        run=run,
        warm_start=warm_start,
        last=last,
        discard_cancelled=discard_cancelled,
    )


class _Windows:
    """One image, its strokes and its windows."""

    def __init__(
        self,
        image: PreparedImage,
        stroke_index: NDArray[np.int64],
        classes: tuple[int, ...],
        preset: Preset,
        grid: int,
        seed: int,
    ) -> None:
        self.image, self.index, self.classes = image, stroke_index, classes
        self.preset, self.seed = preset, seed
        self.grid, self.windows = grid, windows_of(image.size, grid)
        self.scale = min(1.0, grid * (image.working_size[0] / image.size[0]))

    def segment(self, run: Run, last: Tensor | None) -> Fitted | None:
        """Fit, then window by window; None if cancelled."""
        with run.stage("features", 0.0):
            if self.grid not in self.image.statistics_at:
                self.image.statistics_at[self.grid] = self._statistics()
            stroked = [self._stroked(window) for window in self._shown()]
        with run.stage("fit", 0.05):
            fit = fit_shared(stroked, self.preset, seed=self.seed)
        merged = _Merged(self.image.size, len(self.classes))
        step = run.inner(_FIT_SHARE, 0.98, "windows")
        with run.stage("windows", _FIT_SHARE):
            for number, window in enumerate(self.windows, 1):
                merged.add(window, self._mask(window, fit, last))
                if not step(number / len(self.windows)):
                    return None
        return self._fitted(fit, merged, run)

    def _part(self, window: Window) -> PreparedImage:
        statistics = self.image.statistics_at[self.grid]
        return self.image.part(window.box, self._pixels(window), statistics)

    def _pixels(self, window: Window) -> int:
        height, width = (span.stop - span.start for span in window.box.slices)
        return max(1, round(height * self.scale) * round(width * self.scale))

    def _statistics(self) -> Statistics:
        """Of some windows, so that a window of nothing but ground looks as it is."""
        chosen = self.windows[:: max(1, len(self.windows) // _SAMPLED)]
        unchanged = Statistics(*(one.to(self.image.device) for one in UNCHANGED))

        def maps(window: Window) -> Tensor:
            return prepare_image(
                np.ascontiguousarray(self.image.rgb[window.box.slices]),
                max_pixels=self._pixels(window),
                device=self.image.device,
                bundle=self.image.bundle,
                statistics=unchanged,
            ).inputs

        return statistics_of(maps(one) for one in chosen)

    def _shown(self) -> list[Window]:
        """Windows to fit to: evenly spread ones of those with strokes, and for each class one."""
        there = [self._classes_in(window) for window in self.windows]
        drawn = [number for number, found in enumerate(there) if found]
        spread = np.linspace(0, len(drawn) - 1, min(len(drawn), _FITTED)).round().astype(int)
        chosen = [drawn[i] for i in spread]
        for value in set().union(*there):
            if not any(value in there[number] for number in chosen):
                chosen.append(next(n for n in drawn if value in there[n]))
        return [self.windows[number] for number in chosen]

    def _classes_in(self, window: Window) -> set[int]:
        part = self.index[window.box.slices]
        return set(np.unique(part[part < len(self.classes)]).tolist())

    def _stroked(self, window: Window) -> Stroked:
        image = self._part(window)
        index = np.ascontiguousarray(self.index[window.box.slices])
        return prepare_strokes(image, index, self.classes, self.preset)

    def _mask(self, window: Window, fit: SharedFit, last: Tensor | None) -> Segmentation:
        image = self._part(window)
        index = np.ascontiguousarray(self.index[window.box.slices])
        alone = set(fit.known.stroked.tolist()) <= self._classes_in(window)
        strokes = stroke_maps(
            image,
            index,
            self.classes,
            self.preset.fit,
            objects=alone and self.preset.objects,
            last=self._last(window.box, image, last) if alone else None,
            assume_ground=False,
        )
        p = probabilities_of(fit, image, strokes, self.preset, seed=self.seed, alone=alone)
        uncertainty = gini_uncertainty(p)
        refined = refine(image, strokes, p, self.preset, Run())
        return at_full_size(image, strokes, refined, uncertainty, self.preset)

    def _last(self, box: Box, image: PreparedImage, last: Tensor | None) -> Tensor | None:
        """The last mask in a window (K, h / 2, w / 2)."""
        if last is None:
            return None
        rows, columns = (
            slice(int(span.start * full / whole), max(1, -(-span.stop * full // whole)))
            for span, full, whole in zip(box.slices, last.shape[1:], self.image.size, strict=True)
        )
        part = last[None, :, rows, columns].float()
        return F.interpolate(part, image.half_size, mode="bilinear", align_corners=False)[0]

    def _fitted(self, fit: SharedFit, merged: _Merged, run: Run) -> Fitted:
        result = merged.result(self.index, self.classes, self.preset)
        half = tuple(max(1, round(side * self.scale / 2)) for side in self.image.size)
        small = _shrunk(result.probabilities, half).to(self.image.device)
        strokes = stroke_maps(self.image, self.index, self.classes, self.preset.fit)
        result.timings.update(run.timings, total=sum(run.timings.values()))
        return Fitted(fit.net, strokes, result, small)


def _shrunk(probabilities: NDArray[np.float32], size: Sequence[int]) -> Tensor:
    """Class by class, as all at once would double the memory."""
    maps = [torch.from_numpy(one)[None, None] for one in probabilities]
    return torch.cat([F.interpolate(one, tuple(size), mode="area")[0].half() for one in maps])


class _Merged:
    """Maps of an image of windows that overlap, each fading out towards its border."""

    def __init__(self, size: tuple[int, int], classes: int) -> None:
        self.probabilities = np.zeros((classes, *size), np.float32)
        self.uncertainty = np.zeros(size, np.float32)
        self.weight = np.zeros(size, np.float32)

    def add(self, window: Window, found: Segmentation) -> None:
        """The maps of a window's box."""
        slices = window.box.slices
        rows, columns = (
            _ramp(box, core, full)
            for box, core, full in zip(slices, window.core.slices, self.weight.shape, strict=True)
        )
        weight = rows[:, None] * columns
        self.probabilities[:, *slices] += weight * found.probabilities
        self.uncertainty[slices] += weight * found.uncertainty
        self.weight[slices] += weight

    def result(
        self, index: NDArray[np.int64], classes: tuple[int, ...], preset: Preset
    ) -> Segmentation:
        """The mean of the windows; on strokes their own class."""
        self.probabilities /= self.weight
        self.uncertainty /= self.weight
        drawn = index < len(classes)
        if preset.keep_strokes:
            own = np.eye(len(classes), dtype=np.float32)
            self.probabilities[:, drawn] = own[:, index[drawn]]
            self.uncertainty[drawn] = 0
        labels = np.asarray(classes, np.int32)[self.probabilities.argmax(0)]
        return Segmentation(labels, self.probabilities, self.uncertainty, classes)


def _ramp(box: slice, core: slice, full: int) -> NDArray[np.float32]:
    """1 in the core, to nearly 0 at the box's ends, but where these are the image's."""
    at = np.arange(box.start, box.stop) + 0.5
    weight = np.ones(len(at))
    if box.start > 0:
        weight = np.minimum(weight, (at - box.start) / (2 * (core.start - box.start)))
    if box.stop < full:
        weight = np.minimum(weight, (box.stop - at) / (2 * (box.stop - core.stop)))
    return weight.clip(1e-3, 1).astype(np.float32)
