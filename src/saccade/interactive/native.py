"""A large image in windows, each at its own scale: one fit for all, masks joined without seams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.blending import Blend
from saccade.interactive.finish import refine
from saccade.interactive.objects import Box, crop
from saccade.interactive.pipeline import Fitted, segment_prepared
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import LearnedFitSettings, Preset
from saccade.interactive.refinement import coarse_labels, gini_uncertainty, upsample
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run
from saccade.interactive.scale import (
    AT_ONCE,
    Scale,
    Window,
    classes_in,
    scale_of,
    windows_of,
    working_scale,
)
from saccade.interactive.shared import SharedFit, averaged_by, fit_shared, probabilities_of
from saccade.interactive.standardizing import statistics_in
from saccade.interactive.stroke_maps import stroke_maps
from saccade.interactive.stroked import Stroked, prepare_strokes
from saccade.interactive.views import objects_in_views
from saccade.models.features import Statistics
from saccade.models.scribble_net import ScribbleNet

_FITTED = 9  # windows with strokes to which is fitted, at most, and those of missing classes
_SAMPLED = 4  # windows, or a few more, from which the statistics of features are taken
_VIEWS_SHARE, _FIT_SHARE = 0.4, 0.5  # of the progress, once views and the fit are there


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
    scale, drawn = AT_ONCE, classes_in(stroke_index) - {len(classes)}
    if learned:
        asks = preset.objects and image.bundle.objects is not None
        scale = scale_of(image, stroke_index, drawn, objects=asks)
    if scale != AT_ONCE:
        windows = _Windows(image, stroke_index, classes, drawn, preset, scale, seed)
        fitted = windows.segment(run, last)
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
        drawn: set[int],
        preset: Preset,
        scale: Scale,
        seed: int,
    ) -> None:
        self.image, self.index, self.classes = image, stroke_index, classes
        self.drawn, self.preset, self.seed = drawn, preset, seed
        self.grid, self.views = scale.windows, scale.views
        self.windows = windows_of(image.size, self.grid)
        self._found: dict[Box, set[int]] = {}
        self.scale = working_scale(image, self.grid)

    def segment(self, run: Run, last: Tensor | None) -> Fitted | None:
        """The object network's answers, the fit, then window by window; None if cancelled."""
        objects = None
        if self.views > 1:
            first, second = sorted(self.drawn)
            step = run.inner(0.0, _VIEWS_SHARE, "objects")
            with run.stage("objects", 0.0):
                objects = objects_in_views(
                    self.image, self.index, (first, second), self.views, last, step
                )
            if objects is None:
                return None
        with run.stage("fit", _VIEWS_SHARE):
            stroked = [self._stroked(self._box(window)) for window in self._shown()]
            alone = all(self._alone(self._box(window)) for window in self.windows)
            fit = fit_shared(stroked, self.preset, seed=self.seed, alone=alone)
        if not run.inner(_FIT_SHARE, _FIT_SHARE, "windows")(0):
            return None
        with run.stage("windows", _FIT_SHARE):
            merged = self._merged(fit, objects, run, last)
        return None if merged is None else self._fitted(fit, merged, run)

    def _merged(
        self, fit: SharedFit, objects: Tensor | None, run: Run, last: Tensor | None
    ) -> NDArray[np.float32] | None:
        """Probabilities of all classes, and the uncertainty (K + 1, H, W); None if cancelled."""
        blend = Blend(len(self.classes) + 1, self.image.size)
        step = run.inner(_FIT_SHARE, 0.98, "windows")
        preview = _Preview(self, fit, run) if run.wants_previews else None
        for number, window in enumerate(self.windows, 1):
            box = self._box(window)
            maps = self._mask(box, fit, objects, last)
            rows, columns = window.box.slices
            inside = maps[
                :,
                rows.start - box.top : rows.stop - box.top,
                columns.start - box.left : columns.stop - box.left,
            ]
            blend.add(inside, window.box.slices, window.core.slices)
            if preview is not None:
                preview.show(window.core, box, maps[:-1].argmax(0))
            if not step(number / len(self.windows)):
                return None
        return blend.mean()

    def _box(self, window: Window) -> Box:
        """What is worked on for a window: of two classes both have strokes in it."""
        if len(self.drawn) > 2:
            return window.box
        return window.grown(self.image.size, self._alone)

    def _alone(self, box: Box) -> bool:
        """Whether a box has strokes of all classes that were drawn anywhere."""
        return self.drawn <= self._classes_in(box)

    def _classes_in(self, box: Box) -> set[int]:
        """The classes with strokes in a box."""
        if box not in self._found:
            self._found[box] = classes_in(self.index[box.slices]) & self.drawn
        return self._found[box]

    def _part(self, box: Box) -> PreparedImage:
        if self.grid == 1:
            return self.image
        return self.image.part(box, self._pixels(box), self._statistics)

    def _pixels(self, box: Box) -> int:
        height, width = box.bottom - box.top, box.right - box.left
        pixels = max(1, round(height * self.scale) * round(width * self.scale))
        return min(pixels, 2 * self.preset.max_pixels)

    @cached_property
    def _statistics(self) -> Statistics:
        """Of places all over, so that a window of nothing but ground looks as it is."""
        chosen = self.windows[:: max(1, len(self.windows) // _SAMPLED)]
        middles = [window.core.middle for window in chosen]
        return statistics_in(self.image, [(box, self._pixels(box)) for box in middles])

    def _shown(self) -> list[Window]:
        """Windows to fit to: evenly spread ones of those with strokes, and for each class one."""
        there = [self._classes_in(window.box) for window in self.windows]
        drawn = [number for number, found in enumerate(there) if found]
        spread = np.linspace(0, len(drawn) - 1, min(len(drawn), _FITTED)).round().astype(int)
        chosen = [drawn[i] for i in spread]
        for value in set().union(*there):
            if not any(value in there[number] for number in chosen):
                chosen.append(next(n for n in drawn if value in there[n]))
        return [self.windows[number] for number in chosen]

    def _stroked(self, box: Box) -> Stroked:
        index = np.ascontiguousarray(self.index[box.slices])
        return prepare_strokes(self._part(box), index, self.classes, self.preset)

    def _mask(
        self, box: Box, fit: SharedFit, objects: Tensor | None, last: Tensor | None
    ) -> NDArray[np.float32]:
        """Probabilities and uncertainty (K + 1, h, w) of a box, by the fit and its own strokes."""
        image, alone = self._part(box), self._alone(box)
        index = np.ascontiguousarray(self.index[box.slices])
        strokes = stroke_maps(
            image,
            index,
            self.classes,
            self.preset.fit,
            last=self._cropped(last, box, image),
            assume_ground=False,
            grow=False,
        )
        if alone:
            seen = replace(strokes, objects=self._cropped(objects, box, image))
        else:  # strokes of some classes would draw all to them, see `segment_shared`
            none = torch.full_like(strokes.strokes_half, strokes.count)
            seen = replace(strokes, strokes_half=none, labels_half=none, last=None)
        p = probabilities_of(fit, image, seen, self.preset, seed=self.seed, alone=alone)
        uncertainty = gini_uncertainty(p)
        refined = refine(image, strokes, p, self.preset, Run())
        radius = self.preset.guided_radius if self.preset.upsampling == "guided" else 0
        full, unsure = upsample(refined, uncertainty, image.rgb, radius=radius)
        return np.concatenate([full, unsure[None]])

    def _cropped(self, maps: Tensor | None, box: Box, image: PreparedImage) -> Tensor | None:
        """Maps of the whole image (C, h', w') in a box, at half the size that is worked on."""
        if maps is None:
            return None
        part = crop(maps, box, self.image.size)[0][None].float()
        return F.interpolate(part, image.half_size, mode="bilinear", align_corners=False)[0]

    def _fitted(self, fit: SharedFit, merged: NDArray[np.float32], run: Run) -> Fitted:
        probabilities, uncertainty = merged[:-1], merged[-1]
        if self.preset.keep_strokes:
            own = self.index < len(self.classes)
            probabilities[:, own] = np.eye(len(self.classes), dtype=np.float32)[:, self.index[own]]
            uncertainty[own] = 0
        count = max(self.grid, self.views)
        remark = f"a large image with strokes all over was looked at in {count} x {count} windows"
        timings = {**run.timings, "total": sum(run.timings.values())}
        result = Segmentation(
            np.asarray(self.classes, np.int32)[probabilities.argmax(0)],
            probabilities,
            uncertainty,
            self.classes,
            timings,
            remarks=(remark,),
        )
        half = tuple(max(1, round(side * self.scale / 2)) for side in self.image.size)
        small = _shrunk(probabilities, half).to(self.image.device)
        strokes = stroke_maps(self.image, self.index, self.classes, self.preset.fit, grow=False)
        return Fitted(fit.net, strokes, result, small)


class _Preview:
    """Coarse masks: of the fitted network, and of the windows that are done."""

    def __init__(self, windows: _Windows, fit: SharedFit, run: Run) -> None:
        self.run, self.classes = run, np.asarray(windows.classes, np.int32)
        generator = torch.Generator(windows.image.device).manual_seed(windows.seed)
        averaged = averaged_by(fit, windows.image, windows.preset, generator)
        self.labels = coarse_labels(averaged.mean, windows.classes, windows.image.size)
        run.show(self.labels.copy)

    def show(self, core: Box, box: Box, index: NDArray[np.int64]) -> None:
        """Add what was found in a box (h, w), class index, at a window's core."""
        rows = slice(core.top - box.top, core.bottom - box.top)
        columns = slice(core.left - box.left, core.right - box.left)
        self.labels[core.slices] = self.classes[index[rows, columns]]
        self.run.show(self.labels.copy)


def _shrunk(probabilities: NDArray[np.float32], size: Sequence[int]) -> Tensor:
    """Class by class, as all at once would double the memory."""
    maps = [torch.from_numpy(one)[None, None] for one in probabilities]
    return torch.cat([F.interpolate(one, tuple(size), mode="area")[0].half() for one in maps])
