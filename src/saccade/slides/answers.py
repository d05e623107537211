"""What is said of each part of a large image, at the size that is worked on; kept in a journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.inputs import ground_class, provisional_remark
from saccade.interactive.objects import Box
from saccade.interactive.pipeline import answer_prepared
from saccade.interactive.places import Places
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import LearnedFitSettings, Preset
from saccade.interactive.run import Run
from saccade.interactive.scale import (
    AT_ONCE,
    Scale,
    Window,
    scale_of,
    thinner_than_seen,
    windows_of,
)
from saccade.interactive.shared import SharedFit
from saccade.interactive.windows import Windows
from saccade.slides.journal import Arrays, Journal
from saccade.slides.reading import SlideImage

_VIEWS_SHARE = 0.3  # of the progress, where there are any


@dataclass(frozen=True)
class Answer:
    """What is said of a window.

    Attributes:
        window: where it is.
        box: what was looked at for it, the window's or more.
        probabilities: (K, h, w) of the box.
        uncertainty: (1, h', w') of the box.
        guide: (1, h, w) its brightness in [0, 1].
    """

    window: Window
    box: Box
    probabilities: Tensor
    uncertainty: Tensor
    guide: Tensor


@dataclass(frozen=True)
class Answers:
    """The answers of all windows of a large image, row by row, from its journal.

    Attributes:
        image: the prepared image.
        places: the strokes.
        classes: the K class values.
        preset: all settings.
        seed: of everything drawn at random.
        journal: where they are kept.
    """

    image: SlideImage
    places: Places
    classes: tuple[int, ...]
    preset: Preset
    seed: int
    journal: Journal

    @cached_property
    def drawn(self) -> set[int]:
        """Indices of the classes with strokes."""
        return set(np.unique(self.places.values).tolist())

    @cached_property
    def windows(self) -> Windows | None:
        """None where the image is seen at once."""
        learned = isinstance(self.preset.fit, LearnedFitSettings) and self.preset.fusion
        if not learned:
            return None
        asks = self.preset.objects and self.image.bundle.objects is not None
        scale, spread = self._scale(objects=asks), False
        if scale == AT_ONCE and thinner_than_seen(self.image, self.places):
            scale, spread = self._scale(objects=asks, spread=True), True
        if scale == AT_ONCE:
            return None
        arguments = self.image, self.places, self.classes, self.drawn, self.preset, scale
        return Windows(*arguments, self.seed, spread=spread)

    def _scale(self, *, objects: bool, spread: bool = False) -> Scale:
        return scale_of(self.image, self.places, self.drawn, objects=objects, spread=spread)

    @property
    def remarks(self) -> tuple[str, ...]:
        """How the image was looked at, and what was assumed."""
        if self.windows is not None:
            return (self.windows.remark,)
        lines = ["a large image with strokes of large things was looked at as a whole"]
        for value in self.provisional:
            lines.append(provisional_remark(self.classes[next(iter(self.drawn))], value))
        return tuple(lines)

    @property
    def provisional(self) -> tuple[int, ...]:
        """The class values that nobody drew and that were assumed."""
        if len(self.drawn) > 1 or len(self.classes) < 2:
            return ()
        return (ground_class(self.classes[next(iter(self.drawn))], self.classes),)

    @property
    def all(self) -> list[Window]:
        """Every window, row by row."""
        return windows_of(self.image.size, 1) if self.windows is None else self.windows.all

    def compute(self, run: Run) -> None:
        """All that is not there yet; whatever stops it, what is finished is kept."""
        if self.windows is None:
            self._recall(0, partial(self._whole, run))
            return
        objects = self._objects(self.windows, run)
        low = _VIEWS_SHARE if self.windows.views > 1 else 0.0
        count = len(self.all)
        for number, window in enumerate(self.all):
            run.report(low + (1 - low) * number / count, f"window {number + 1} of {count}")
            self._recall(number, partial(self._of_window, window, objects))

    def of(self, number: int) -> Answer:
        """The answer of a window that is computed."""

        def missing() -> Arrays:
            raise FileNotFoundError(f"{self.journal.folder}: window {number + 1} is gone")

        known, window = self._recall(number, missing), self.all[number]
        box = window.box if self.windows is None else self.windows.box(window)
        p, unsure = (torch.from_numpy(known[x]).float() for x in ("probabilities", "uncertainty"))
        guide = torch.from_numpy(known["guide"])[None].float() / 255
        return Answer(window, box, p, unsure, guide)

    def _recall(self, number: int, compute: Callable[[], Arrays]) -> Arrays:
        return self.journal.recall(f"window-{number + 1:04}", compute)

    def _whole(self, run: Run) -> Arrays:
        whole = Box(0, 0, *self.image.size)
        index = self.places.within(whole, self.image.working_size)
        found = answer_prepared(
            self.image, index, self.classes, self.preset, seed=self.seed, run=run
        )
        assert found is not None  # nothing cancels it
        return _arrays(found.probabilities, found.uncertainty, self.image)

    def _of_window(self, window: Window, objects: Tensor | None) -> Arrays:
        assert self.windows is not None
        found = self.windows.answer(window, self._fit, objects, None)
        return _arrays(found.probabilities, found.uncertainty, found.image)

    @cached_property
    def _fit(self) -> SharedFit:
        assert self.windows is not None
        return self.windows.fit()

    def _objects(self, windows: Windows, run: Run) -> Tensor | None:
        if windows.views < 2:
            return None

        def remember(name: str, compute: Callable[[], Tensor]) -> Tensor:
            key = name.replace(" ", "-")
            found = self.journal.recall(key, lambda: {"odds": compute().cpu().numpy()})
            return torch.from_numpy(found["odds"]).to(self.image.device)

        step = run.inner(0.0, _VIEWS_SHARE, "objects")
        return windows.objects(None, step, remember)


def _arrays(probabilities: Tensor, uncertainty: Tensor, image: PreparedImage) -> Arrays:
    """What is kept of an answer: half precision is finer than any step of the mask."""
    gray = image.working_gray[None, None].float()
    guide = F.interpolate(gray, probabilities.shape[1:], mode="area")[0, 0]
    return {
        "probabilities": probabilities.half().cpu().numpy(),
        "uncertainty": uncertainty.half().cpu().numpy(),
        "guide": guide.round().byte().cpu().numpy(),
    }
