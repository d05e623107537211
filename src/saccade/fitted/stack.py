"""A model on all planes of a stack: each gets the mask that it would have as an image."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from saccade.errors import InputError
from saccade.images import Image
from saccade.images.planes import with_one_window
from saccade.interactive.result import Segmentation
from saccade.interactive.run import Cancel, Progress, Run
from saccade.stacks.collected import Collected, KnownPlane
from saccade.stacks.result import StackSegmentation

if TYPE_CHECKING:
    from saccade.fitted.model import Model
    from saccade.fitted.trained import TrainedModel


def predict_stack(
    model: Model | TrainedModel,
    image: Image,
    *,
    window: tuple[float, float] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    skip: Mapping[tuple[int, int], KnownPlane] | None = None,
    finished: Callable[[tuple[int, int], Segmentation], None] | None = None,
) -> StackSegmentation:
    """Masks of all slices or times, each by itself.

    Where black and white are each image's own, all planes have those of the stack.

    Args:
        model: of `saccade.load`.
        image: of `saccade.images.open_image`, with axis Z or T.
        window: the values that become black and white; None: as the model's images are read.
        progress: told the fraction done in [0, 1] and what is done.
        cancel: asked between planes; once it answers True, finished planes are returned.
        skip: labels and uncertainty (H, W), and perhaps the probability of the labels, of planes
            (t, z) that are known already.
        finished: told the place (t, z) and the result of each plane as it is there.

    Raises:
        InputError: one plane, or other channels than those of the model's images.

    >>> import tempfile, numpy as np, saccade
    >>> scene = np.full((64, 96, 3), 40, np.uint8)
    >>> scene[20:44, 30:66] = 200
    >>> strokes = np.full((64, 96), 255)
    >>> strokes[5, 10:80], strokes[32, 40:56] = 0, 1
    >>> model = saccade.fit([scene], [strokes])
    >>> found = predict_stack(model, Image(np.stack([scene, scene]), "ZYXC"))
    >>> found.axes, found.labels.shape, found.labels[:, 32, 48].tolist()
    ('ZYX', (2, 64, 96), [1, 1])
    """
    began = time.perf_counter()
    times, slices = image.count("T"), image.count("Z")
    if times * slices < 2:
        raise InputError(
            f"{image.source or 'image'}: axes {image.axes} have one plane, expected several along "
            "Z or T"
        )
    run = Run(progress, cancel)
    run.report(0.0, "read")
    remarks: tuple[str, ...] = image.remarks
    told: tuple[str, ...] = ()
    if window is None and model.reading.each_its_own:
        image, told = with_one_window(image, model.reading.channels)
        remarks += told
    result = Collected(image, model.classes, skip or {}, finished)
    places = [(t, z) for t in range(times) for z in range(slices)]
    for number, (t, z) in enumerate(places):
        if result.take([(t, z)]):
            continue
        done = number / len(places)
        if not run.inner(done, 1.0, f"plane {number + 1} of {len(places)}")(0.0):
            break
        found = model.predict(part_of(image, t, z), window=window)
        remarks += untold(found.remarks, said=bool(told))
        result.add((t, z), found)
    run.report(1.0, "done")
    return result.segmentation(remarks, {"total": time.perf_counter() - began})


def untold(remarks: Iterable[str], *, said: bool) -> tuple[str, ...]:
    """What is said of a part of an image, without its black and white if they were said before.

    >>> untold(["values 0 to 9 were stretched to 0..255, as the file said"], said=True)
    ()
    """
    return tuple(line for line in remarks if not (said and "were stretched to 0..255" in line))


def part_of(
    image: Image, t: int = 0, z: int = 0, rows: slice = slice(None), columns: slice = slice(None)
) -> Image:
    """A plane or a part of it as an image, with what the file says of its numbers.

    >>> import numpy as np
    >>> part_of(Image(np.zeros((5, 40, 60)), "ZYX"), z=4, rows=slice(8)).size
    (8, 60)
    """
    values = image.plane(t=t, z=z, rows=rows, columns=columns)
    return replace(image, array=values, axes="YXC", georeference=None, levels=(), remarks=())
