"""Strokes and pins as JSON, and how a stroke file keeps the pins: beside its shapes."""

from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from saccade.data.labelme import decode_png, encode_png
from saccade.errors import InputError
from saccade.scribbles.document import Line, Patch, Pin, StrokeDocument
from saccade.serve.schemas import LineModel, PatchModel, PinModel, validation_message

PINS_KEY = "saccade_pins"
_MOST_TIMES = 64
"""As many times the pixels of the image may lie in the boxes of all pins."""


def item_model(item: Line | Patch, pinned: bool) -> LineModel | PatchModel:
    """A stroke, or something pinned, as JSON."""
    if isinstance(item, Patch):
        return PatchModel(
            id=item.id,
            kind="patch",
            value=item.value,
            x=item.x,
            y=item.y,
            png=encode_png(item.mask),
            pinned=pinned,
        )
    return LineModel(
        id=item.id,
        kind="line",
        value=item.value,
        width=item.width,
        points=[(float(x), float(y)) for x, y in item.points],
        pinned=pinned,
    )


def pins_to_json(document: StrokeDocument) -> dict[str, Any]:
    """The pins of a document, as further keys of its file."""
    kept = [
        {"above": pin.above, "item": item_model(pin.item, True).model_dump(mode="json")}
        for pin in document.pins
    ]
    return {PINS_KEY: kept} if kept else {}


def pins_from_json(content: Any, shape: tuple[int, int]) -> tuple[Pin, ...]:
    """The pins of a stroke file's JSON, over an image of (H, W) `shape`.

    Raises:
        InputError: something in them is not as `pins_to_json` writes it.
    """
    found = content.get(PINS_KEY, []) if isinstance(content, dict) else []
    try:
        read = TypeAdapter(list[PinModel]).validate_python(found)
    except ValidationError as error:
        raise InputError(f"{PINS_KEY}: {validation_message(error)}") from None
    pins, room = [], _MOST_TIMES * shape[0] * shape[1]
    for one in read:
        item: Line | Patch
        if isinstance(one.item, LineModel):
            item = Line(one.item.id, one.item.value, one.item.width, tuple(one.item.points))
        else:
            item = _patch(one.item, shape, room)
            room -= item.mask.size
        pins.append(Pin(item, one.above))
    return tuple(pins)


def _patch(item: PatchModel, shape: tuple[int, int], room: int) -> Patch:
    def check(height: int, width: int) -> None:
        if item.y + height > shape[0] or item.x + width > shape[1]:
            raise InputError(f"{PINS_KEY}: '{item.id}' lies outside of the image")
        if height * width > room:
            raise InputError(f"{PINS_KEY}: they cover too many pixels")

    mask = decode_png(item.png, colors=True, check=check)
    return Patch(item.id, item.value, item.x, item.y, np.ascontiguousarray(mask))
