"""Several image layers of a kind: fitted to the strokes on some, masks of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from saccade.errors import InputError
from saccade.interactive import Segmentation
from saccade.napari.model import MASK_NAME, PLACES_NAME, UNCERTAINTY_NAME, Options, picture_of

OURS = (MASK_NAME, UNCERTAINTY_NAME, PLACES_NAME)
"""How names of layers begin that the plugin makes."""


@dataclass(frozen=True)
class Drawn:
    """An image layer, and the labels layer with its strokes; None where nobody drew."""

    image: Any
    strokes: Any = None


def drawn_layers(viewer: Any) -> list[Drawn]:
    """The two-dimensional image layers, each with its strokes.

    Strokes are in the labels layer of the same size whose name begins with the image's, such as
    "cells 3 strokes" of "cells 3"; one whose name begins with none belongs to the only image layer
    of its size.

    Raises:
        InputError: there are no image layers, or a labels layer may belong to several.
    """
    from napari.layers import Image, Labels

    layers = [layer for layer in viewer.layers if not layer.name.startswith(OURS)]
    images = [layer for layer in layers if isinstance(layer, Image) and layer.ndim == 2]
    if not images:
        raise InputError("there are no image layers of two dimensions, expected some of a kind")
    found: dict[int, Any] = {}
    for layer in layers:
        if not isinstance(layer, Labels) or layer.ndim != 2 or not np.asarray(layer.data).any():
            continue
        number = _owner(layer, images)
        if number in found:
            raise InputError(
                f"layer '{layer.name}': image '{images[number].name}' has strokes in "
                f"'{found[number].name}' too, must be one layer"
            )
        found[number] = layer
    if not found:
        raise InputError("no labels layer has strokes, paint 1, 2, ... on some of the images")
    return [Drawn(image, found.get(number)) for number, image in enumerate(images)]


def _owner(strokes: Any, images: Sequence[Any]) -> int:
    """The number of the image that strokes belong to."""
    size = np.asarray(strokes.data).shape
    alike = [n for n, one in enumerate(images) if tuple(one.data.shape[:2]) == size]
    named = [n for n in alike if strokes.name.startswith(images[n].name)]
    if named:
        return max(named, key=lambda n: len(images[n].name))
    if len(alike) == 1:
        return alike[0]
    raise InputError(
        f"layer '{strokes.name}': may belong to {len(alike)} image layers of its size, must be "
        "named as its image, such as 'NAME strokes'"
    )


def compute_layers(
    layers: Sequence[Drawn],
    options: Options,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancel: Callable[[], bool] = lambda: False,
) -> list[Segmentation]:
    """Masks of all image layers, by a model of the strokes on some; touches no layer.

    Args:
        layers: of `drawn_layers`.
        options: how; the preset is ``"fast"`` or ``"best"``.
        progress: told the share done and what is done.
        cancel: asked between images; once True, the masks so far are returned.

    Raises:
        InputError: the preset is another.
    """
    from saccade.fitted import fit

    pictures = [picture_of(one.image, ()) for one in layers]
    strokes = [None if one.strokes is None else np.asarray(one.strokes.data) for one in layers]
    model = fit(
        pictures,
        strokes,
        unlabeled=0,
        preset=options.preset,
        seed=options.seed,
        device=options.device,
        cancel=cancel,
    )
    found: list[Segmentation] = []
    for number, (one, picture) in enumerate(zip(layers, pictures, strict=True)):
        if cancel():
            break
        if progress is not None:
            progress(number / len(layers), one.image.name)
        found.append(model.predict(picture))
    return found


def show_layers(viewer: Any, layers: Sequence[Drawn], found: Sequence[Segmentation]) -> None:
    """Put each mask into a layer of its own, named after its image and in its place."""
    active = viewer.layers.selection.active
    for one, result in zip(layers, found, strict=False):  # a stopped run has fewer masks
        name = f"{MASK_NAME}: {one.image.name}"
        if name in viewer.layers:
            viewer.layers[name].data = result.labels
            continue
        layer = viewer.add_labels(
            result.labels,
            name=name,
            opacity=0.45,
            scale=one.image.scale[-2:],
            translate=one.image.translate[-2:],
            visible=one.image.visible,
        )
        strokes = one.strokes or next(x.strokes for x in layers if x.strokes is not None)
        layer.colormap = strokes.colormap
    viewer.layers.selection.active = active


def told(layers: Sequence[Drawn], found: Sequence[Segmentation]) -> str:
    """What is said at the end: how many, and which look unlike those with strokes."""
    drawn = sum(one.strokes is not None for one in layers)
    unlike = [one.image.name for one, result in zip(layers, found, strict=False) if result.unlike]
    text = f"{len(found)} masks from strokes on {drawn}"
    return text + (f"; look at {', '.join(unlike)}: unlike those with strokes" if unlike else "")
