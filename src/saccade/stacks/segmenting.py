"""Strokes on some planes of a stack to masks of all.

All planes share one fit (`saccade.interactive.shared`), one window and one standardization. What
the fit says of each plane is joined over neighbouring planes by a minimal partition in three
dimensions, slab by slab; then each plane is brought to its own size.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.images import Image
from saccade.images.axes import guessed_axes, plain_axes
from saccade.images.planes import read_planes
from saccade.interactive.inputs import UNLABELED
from saccade.interactive.presets import LearnedFitSettings, Preset, preset_named
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Cancel, Progress, Run, one_thread
from saccade.models.weights import shared_bundle
from saccade.stacks.collected import Collected, KnownPlane
from saccade.stacks.preparing import Preparer
from saccade.stacks.result import StackSegmentation
from saccade.stacks.strokes import read_stack_strokes
from saccade.stacks.work import Work

_SHRUNK = 2.0  # times smaller, from which it is said


def segment_stack(
    image: object,
    strokes: object,
    *,
    axes: str | None = None,
    unlabeled: int = UNLABELED,
    preset: str | Preset = "fast",
    seed: int = 0,
    device: str = "auto",
    classes: Sequence[int] | None = None,
    channels: Sequence[int | str] | None = None,
    window: tuple[float, float] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    skip: Mapping[tuple[int, int], KnownPlane] | None = None,
    finished: Callable[[tuple[int, int], Segmentation], None] | None = None,
) -> StackSegmentation:
    """Segment all planes of a stack or a series of times from strokes on some of them.

    Slices (Z), or times (T) where there are no slices, are joined to their neighbours. With both,
    each time is a stack of its own, and all share one fit.

    Args:
        image: array of any type with axes Z or T, Y, X and perhaps C; or an `saccade.images.Image`,
            which may be read from its file as it is needed.
        strokes: integers along the same axes without C; an `Image` of them; or a mapping of the
            indices of planes, z (or t, or (t, z)), to (H, W) strokes.
        axes: of an array, a letter of T, Z, C, Y, X for each dimension; guessed where None.
        unlabeled: as in `saccade.segment`, for all planes together.
        preset: ``"fast"``, ``"best"``, or a learned `Preset` of your own.
        seed: same seed, same masks, on one device.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ...
        classes: the class values there are; by default those that occur in the strokes.
        channels: of the image, as indices from 0 or names; by default all.
        window: the values that become black and white; by default the same for all planes.
        progress: told the fraction done in [0, 1] and what is done.
        cancel: asked between planes; once it answers True, finished planes are returned.
        skip: labels and uncertainty (H, W), and perhaps the probability of the labels, of planes
            (t, z) that are known already; where a whole slab is, its planes are not segmented
            again.
        finished: told the place (t, z) and the result of each plane as it is there.

    Raises:
        InputError: no stack, strokes with other axes, strokes of one class alone, or an option
            that cannot be used.

    >>> stack = np.full((5, 48, 64), 40, np.uint8)
    >>> stack[:, 10:34, 20:46] = 200
    >>> drawn = np.full((48, 64), 255)
    >>> drawn[4, 8:50], drawn[20, 26:40] = 0, 1
    >>> found = segment_stack(stack, {2: drawn})
    >>> found.labels.shape, found.axes, found.labels[4, 20, 30] == 1
    ((5, 48, 64), 'ZYX', np.True_)
    """
    began = time.perf_counter()
    settings = preset_named(preset) if isinstance(preset, str) else preset
    if not isinstance(settings.fit, LearnedFitSettings) or settings.refine is None:
        raise InputError(f"preset {preset}: fits one image; expected fast or best for a stack")
    stack, assumed = _as_stack(image, axes)
    drawn = read_stack_strokes(strokes, stack, unlabeled=unlabeled, classes=classes)
    where = pick_device(device)
    run = Run(progress, cancel)
    with one_thread(where):
        run.report(0.0, "read")
        planes = read_planes(stack, channels=channels, window=window)
        bundle = shared_bundle(settings.weights, settings.ensemble, where)
        rough = Preparer(planes, settings, bundle, where)
        work = Work(rough.with_statistics(drawn.stroked), drawn, settings, seed, run)
        fit, remarks = work.fit()
        fitted = time.perf_counter() - began
        result = Collected(stack, drawn.classes, skip or {}, finished)
        for t in range(stack.count("T")) if stack.count("Z") > 1 else (None,):
            work.segment(fit, t, result)
    remarks = (*remarks, *_shrunk(stack, settings))
    remarks = (*stack.remarks, *assumed, *planes.remarks, *drawn.remarks, *remarks)
    total = time.perf_counter() - began
    return result.segmentation(remarks, {"fit": fitted, "total": total})


def _shrunk(stack: Image, preset: Preset) -> tuple[str, ...]:
    """That little of large slices is seen, if so: they are not looked at in windows."""
    times = math.sqrt(math.prod(stack.size) / preset.max_pixels)
    if times < _SHRUNK:
        return ()
    size = f"{stack.size[1]} x {stack.size[0]}"
    return (
        f"slices of {size} pixels were seen at once, {times:.1f} times smaller; cut them into "
        "parts where things are small",
    )


def _as_stack(image: object, axes: str | None) -> tuple[Image, tuple[str, ...]]:
    remarks: tuple[str, ...] = ()
    if not isinstance(image, Image):
        array = np.asarray(image)
        if axes is None:
            axes, remarks = guessed_axes("image", array.shape)
        else:
            axes, remarks = plain_axes("image", axes, array.shape, told=True)
        image = Image(array, axes)
    elif axes is not None:
        image = replace(image, axes=plain_axes("image", axes, image.array.shape, told=True)[0])
    if image.count("Z") * image.count("T") < 2:
        raise InputError(
            f"{image.source or 'image'}: axes {image.axes} for shape {tuple(image.array.shape)} "
            "have one plane, expected several along Z or T"
        )
    return image, remarks
