"""The windows of a large image: one fit to some of them, and what it says of each.

Windows are worked on alone, as if each were an image. They share the network, the colors and the
statistics by which features are standardized.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.finish import refine
from saccade.interactive.objects import Box, crop
from saccade.interactive.places import StrokeIndex
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import Preset
from saccade.interactive.refinement import gini_uncertainty
from saccade.interactive.run import Run, Step
from saccade.interactive.scale import Scale, Window, classes_in, windows_of, working_scale
from saccade.interactive.shared import SharedFit, fit_kind, fit_shared, probabilities_of
from saccade.interactive.standardizing import statistics_in
from saccade.interactive.stroke_maps import StrokeMaps, stroke_maps
from saccade.interactive.stroked import Stroked, prepare_strokes
from saccade.interactive.thin import for_thin, with_regression
from saccade.interactive.views import Remember, objects_in_views
from saccade.models.features import Statistics

_FITTED = 9  # windows with strokes to which is fitted, at most, and those of missing classes
_SAMPLED = 4  # windows, or a few more, from which the statistics of features are taken


@dataclass(frozen=True)
class WindowAnswer:
    """What is said of a window.

    Attributes:
        box: the part of the image; that of the window, or a larger one.
        image: that part, prepared.
        probabilities: (K, h, w) at its working size.
        uncertainty: (1, h', w').
    """

    box: Box
    image: PreparedImage
    probabilities: Tensor
    uncertainty: Tensor


class Windows:
    """One image, its strokes and its windows.

    Args:
        image: of `prepare_image`.
        strokes: all of them.
        classes: the K class values.
        drawn: indices of those that have strokes.
        preset: all settings.
        scale: how many windows and views there are.
        seed: of everything drawn at random.
        spread: whether the strokes are in few windows and say what is in all others, as in images
            of a kind; else windows without strokes of two classes are larger, up to the nearest.
    """

    def __init__(
        self,
        image: PreparedImage,
        strokes: StrokeIndex,
        classes: tuple[int, ...],
        drawn: set[int],
        preset: Preset,
        scale: Scale,
        seed: int,
        *,
        spread: bool = False,
    ) -> None:
        self.image, self.strokes, self.classes = image, strokes, classes
        self.drawn, self.preset, self.seed, self.spread = drawn, preset, seed, spread
        self.grid, self.views = scale.windows, 1 if spread else scale.views
        self.all = windows_of(image.size, self.grid)
        self._found: dict[Box, set[int]] = {}
        self.scale = working_scale(image, self.grid)

    @property
    def remark(self) -> str:
        """One line on how the image was looked at."""
        count = max(self.grid, self.views)
        if self.spread:
            return f"a large image was looked at in {count} x {count} windows, by strokes on some"
        return f"a large image with strokes all over was looked at in {count} x {count} windows"

    def objects(
        self,
        last: Tensor | None,
        step: Step,
        remember: Remember = lambda name, compute: compute(),
    ) -> Tensor | None:
        """The object network's log odds of the two classes, for the whole image; None: cancelled.

        Args:
            last: (K, h', w') probabilities of the mask that the strokes correct.
            step: progress.
            remember: see `objects_in_views`.
        """
        first, second = sorted(self.drawn)
        return objects_in_views(
            self.image, self.strokes, (first, second), self.views, last, step, remember
        )

    def fit(self) -> SharedFit:
        """One fit to some windows with strokes."""
        stroked = [self._stroked(self.box(window)) for window in self._shown()]
        if not self.spread and all(self._alone(self.box(window)) for window in self.all):
            return fit_shared(stroked, self.preset, seed=self.seed, alone=True)
        return fit_kind(stroked, self.preset, seed=self.seed)

    def box(self, window: Window) -> Box:
        """What is worked on for a window: of two classes both have strokes in it."""
        if self.spread or len(self.drawn) > 2:
            return window.box
        return window.grown(self.image.size, self._alone)

    def answer(
        self, window: Window, fit: SharedFit, objects: Tensor | None, last: Tensor | None
    ) -> WindowAnswer:
        """What the fit and a window's own strokes say of it."""
        box = self.box(window)
        image, alone = self._part(box), not self.spread and self._alone(box)
        strokes = stroke_maps(
            image,
            self.strokes.within(box, image.working_size),
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
        preset = self.preset
        if fit.thin and not alone and fit.regression is not None:
            odds = fit.regression.log_odds(image.rich)
            preset, p = for_thin(preset), with_regression(p, odds, fit.known.stroked)
        return WindowAnswer(
            box, image, refine(image, strokes, p, preset, Run()), gini_uncertainty(p)
        )

    def strokes_at(self, size: tuple[int, int]) -> StrokeMaps:
        """All strokes, as what is left of a fit has them."""
        whole = Box(0, 0, *self.image.size)
        index = self.strokes.within(whole, size)
        return stroke_maps(self.image, index, self.classes, self.preset.fit, grow=False)

    def _alone(self, box: Box) -> bool:
        """Whether a box has strokes of all classes that were drawn anywhere."""
        return self.drawn <= self._classes_in(box)

    def _classes_in(self, box: Box) -> set[int]:
        """The classes with strokes in a box."""
        if box not in self._found:
            self._found[box] = classes_in(self.strokes[box.slices]) & self.drawn
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
        chosen = self.all[:: max(1, len(self.all) // _SAMPLED)]
        middles = [window.core.middle for window in chosen]
        return statistics_in(self.image, [(box, self._pixels(box)) for box in middles])

    def _shown(self) -> Sequence[Window]:
        """Windows to fit to: evenly spread ones of those with strokes, and for each class one."""
        there = [self._classes_in(window.box) for window in self.all]
        drawn = [number for number, found in enumerate(there) if found]
        spread = np.linspace(0, len(drawn) - 1, min(len(drawn), _FITTED)).round().astype(int)
        chosen = [drawn[i] for i in spread]
        for value in set().union(*there):
            if not any(value in there[number] for number in chosen):
                chosen.append(next(n for n in drawn if value in there[n]))
        return [self.all[number] for number in chosen]

    def _stroked(self, box: Box) -> Stroked:
        image = self._part(box)
        index = self.strokes.within(box, image.working_size)
        return prepare_strokes(image, index, self.classes, self.preset)

    def _cropped(self, maps: Tensor | None, box: Box, image: PreparedImage) -> Tensor | None:
        """Maps of the whole image (C, h', w') in a box, at half the size that is worked on."""
        if maps is None:
            return None
        part = crop(maps, box, self.image.size)[0][None].float()
        return F.interpolate(part, image.half_size, mode="bilinear", align_corners=False)[0]
