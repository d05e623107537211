"""All slices of an image layer at once, from strokes on some of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images import Image
from saccade.napari.model import MASK_NAME, UNCERTAINTY_NAME, Options, put_layers, set_contrast
from saccade.stacks import StackSegmentation, segment_stack

Step = tuple[float, str]
"""The share that is done, and what is done."""


def stack_of(image: Any) -> Image:
    """The data of an image layer as a stack: slices before rows, times before slices.

    Lazy data is read plane by plane. The layer's scale tells how far apart slices are.

    Raises:
        InputError: a layer of one plane, or of more axes than time and slice.
    """
    data = image.data[0] if getattr(image, "multiscale", False) else image.data
    rgb = bool(getattr(image, "rgb", False))
    extra = len(data.shape) - 2 - rgb
    if extra not in (1, 2):
        raise InputError(
            f"layer '{image.name}': shape {tuple(data.shape)}, expected slices, or times and "
            "slices, before rows and columns"
        )
    axes = ("ZYX" if extra == 1 else "TZYX") + ("C" if rgb else "")
    if rgb and data.shape[-1] == 4:
        data = np.asarray(data)[..., :3]
    scale = [float(step) for step in image.scale][-3:]
    return Image(data, axes, pixel_size=dict(zip("ZYX", scale, strict=True)), colors=rgb)


def compute_stack(
    image: Any,
    strokes: Any,
    options: Options,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> StackSegmentation:
    """Masks of all slices; touches no layer.

    Args:
        image: image layer with slices.
        strokes: labels layer of the same size; 0 where nobody drew.
        options: how.
        progress: told the share done and what is done.
        cancel: asked between slices; once True, those that are finished are returned.

    Raises:
        InputError: the layers do not go together, or fewer than two classes are painted.
    """
    stack = stack_of(image)
    drawn = np.asarray(strokes.data)
    size = tuple(stack.array.shape[: len(stack.axes.replace("C", ""))])
    if drawn.shape != size:
        raise InputError(
            f"layer '{strokes.name}': shape {drawn.shape}, the image has {size}; draw on a labels "
            "layer of the same size"
        )
    if not drawn.any():
        raise InputError(f"layer '{strokes.name}': strokes are empty, paint 1, 2, ... on slices")
    return segment_stack(
        stack,
        drawn,
        unlabeled=0,
        preset=options.preset,
        seed=options.seed,
        device=options.device,
        window=set_contrast(image),
        progress=progress,
        cancel=cancel,
    )


def stack_steps(
    image: Any, strokes: Any, options: Options, cancel: threading.Event
) -> Iterator[Step | StackSegmentation]:
    """`compute_stack` in a thread of its own: its progress, and last its result.

    Raises:
        InputError: as `compute_stack`.
    """
    steps: queue.SimpleQueue[Step | StackSegmentation | Exception] = queue.SimpleQueue()

    def work() -> None:
        def told(done: float, text: str) -> None:
            steps.put((done, text))

        try:
            steps.put(compute_stack(image, strokes, options, progress=told, cancel=cancel.is_set))
        except Exception as error:  # raised where somebody waits
            steps.put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while True:
        step = steps.get()
        if isinstance(step, Exception):
            raise step
        yield step
        if isinstance(step, StackSegmentation):
            return


def show_stack(
    viewer: Any, image: Any, strokes: Any, found: StackSegmentation, options: Options
) -> None:
    """Put all masks into the layers of masks; slices that are not finished keep what they had."""
    done = found.labels >= 0
    mask = _kept(viewer, MASK_NAME, found.labels, done)
    uncertainty = _kept(viewer, UNCERTAINTY_NAME, found.uncertainty.astype(np.float32), done)
    put_layers(viewer, image, strokes, mask, uncertainty if options.uncertainty else None)


def _kept(viewer: Any, name: str, values: NDArray[Any], done: NDArray[np.bool_]) -> NDArray[Any]:
    known = np.asarray(viewer.layers[name].data) if name in viewer.layers else None
    fits = known is not None and known.shape == values.shape
    before = known if known is not None and fits else np.zeros(values.shape, values.dtype)
    return np.where(done, values, before).astype(values.dtype)
