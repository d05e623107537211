"""Around one computation: threads, progress, cancellation and timings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

Progress = Callable[[float, str], None]
Cancel = Callable[[], bool]
Preview = Callable[[NDArray[np.int32]], None]
Step = Callable[[float], bool]
"""Told the fraction done after each step; answers whether to go on."""


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """Compute on one thread, then as before.

    Maps of this size gain little from a second thread. Where the cores are shared with other
    programs they lose tenfold, as threads that wait for one another spin.
    """
    before = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Run:
    """Progress, cancellation, previews and timings of one call."""

    def __init__(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        preview: Preview | None = None,
    ) -> None:
        self._progress, self._cancel, self._preview = progress, cancel, preview
        self.cancelled = False
        self.timings: dict[str, float] = {}

    def report(self, fraction: float, stage: str) -> None:
        """Tell the caller the fraction done, in [0, 1], and the stage's name."""
        if self._progress is not None:
            self._progress(fraction, stage)

    @property
    def wants_previews(self) -> bool:
        """Whether somebody looks at coarse masks."""
        return self._preview is not None

    def show(self, labels: Callable[[], NDArray[np.int32]]) -> None:
        """Hand a coarse mask (H, W) to whoever wants one; it is not computed for nobody."""
        if self._preview is not None and not self.cancelled:
            self._preview(labels())

    @contextmanager
    def stage(self, name: str, fraction: float) -> Iterator[None]:
        """Time what is done inside; ``fraction`` of all work lies before it."""
        self.report(fraction, name)
        began = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - began

    def inner(self, low: float, high: float, name: str) -> Step:
        """A step callback that maps [0, 1] to [low, high] and asks whether to go on."""

        def step(fraction: float) -> bool:
            self.report(low + fraction * (high - low), name)
            if self._cancel is not None and self._cancel():
                self.cancelled = True
            return not self.cancelled

        return step
