"""A large image in windows, each at its own scale: one fit for all, masks joined without seams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from saccade.interactive.blending import Blend
from saccade.interactive.objects import Box
from saccade.interactive.pipeline import Fitted, segment_prepared
from saccade.interactive.places import InMemory
from saccade.interactive.prepared import PreparedImage
from saccade.interactive.presets import LearnedFitSettings, Preset
from saccade.interactive.refinement import coarse_labels, upsample
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Run
from saccade.interactive.scale import AT_ONCE, classes_in, scale_of
from saccade.interactive.shared import SharedFit, averaged_by
from saccade.interactive.windows import Windows
from saccade.models.scribble_net import ScribbleNet

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
        places = InMemory(stroke_index, len(classes)).drawn()
        scale = scale_of(image, places, drawn, objects=asks)
    if scale != AT_ONCE:
        strokes = InMemory(stroke_index, len(classes))
        windows = Windows(image, strokes, classes, drawn, preset, scale, seed)
        fitted = _segment(windows, run, last)
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


def _segment(windows: Windows, run: Run, last: Tensor | None) -> Fitted | None:
    """The object network's answers, the fit, then window by window; None if cancelled."""
    objects = None
    if windows.views > 1:
        with run.stage("objects", 0.0):
            objects = windows.objects(last, run.inner(0.0, _VIEWS_SHARE, "objects"))
        if objects is None:
            return None
    with run.stage("fit", _VIEWS_SHARE):
        fit = windows.fit()
    if not run.inner(_FIT_SHARE, _FIT_SHARE, "windows")(0):
        return None
    with run.stage("windows", _FIT_SHARE):
        merged = _merged(windows, fit, objects, run, last)
    return None if merged is None else _fitted(windows, fit, merged, run)


def _merged(
    windows: Windows, fit: SharedFit, objects: Tensor | None, run: Run, last: Tensor | None
) -> NDArray[np.float32] | None:
    """Probabilities of all classes, and the uncertainty (K + 1, H, W); None if cancelled."""
    blend = Blend(len(windows.classes) + 1, windows.image.size)
    step = run.inner(_FIT_SHARE, 0.98, "windows")
    preview = _Preview(windows, fit, run) if run.wants_previews else None
    radius = windows.preset.guided_radius if windows.preset.upsampling == "guided" else 0
    for number, window in enumerate(windows.all, 1):
        found = windows.answer(window, fit, objects, last)
        full, unsure = upsample(
            found.probabilities, found.uncertainty, found.image.rgb, radius=radius
        )
        rows, columns = window.box.slices
        inside = (
            slice(rows.start - found.box.top, rows.stop - found.box.top),
            slice(columns.start - found.box.left, columns.stop - found.box.left),
        )
        maps = np.concatenate([full[:, *inside], unsure[None, *inside]])
        blend.add(maps, window.box.slices, window.core.slices)
        if preview is not None:
            preview.show(window.core, found.box, full.argmax(0))
        if not step(number / len(windows.all)):
            return None
    return blend.mean()


def _fitted(windows: Windows, fit: SharedFit, merged: NDArray[np.float32], run: Run) -> Fitted:
    image, classes = windows.image, windows.classes
    probabilities, uncertainty = merged[:-1], merged[-1]
    if windows.preset.keep_strokes:
        places = windows.strokes.drawn()
        own = places.rows, places.columns
        probabilities[:, *own] = np.eye(len(classes), dtype=np.float32)[:, places.values]
        uncertainty[own] = 0
    timings = {**run.timings, "total": sum(run.timings.values())}
    result = Segmentation(
        np.asarray(classes, np.int32)[probabilities.argmax(0)],
        probabilities,
        uncertainty,
        classes,
        timings,
        remarks=(windows.remark,),
    )
    half = tuple(max(1, round(side * windows.scale / 2)) for side in image.size)
    small = _shrunk(probabilities, half).to(image.device)
    return Fitted(fit.net, windows.strokes_at(image.size), result, small)


class _Preview:
    """Coarse masks: of the fitted network, and of the windows that are done."""

    def __init__(self, windows: Windows, fit: SharedFit, run: Run) -> None:
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
