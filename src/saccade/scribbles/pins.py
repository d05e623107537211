"""What of a mask is pinned: in which order it lies with the strokes, and its pixels."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from saccade.scribbles.document import Line, Patch, StrokeDocument, as_stroke
from saccade.scribbles.drawing import draw_strokes

_NOT_PINNED = 255


def with_pins_between(document: StrokeDocument) -> list[tuple[Line | Patch, bool]]:
    """Return strokes and pins in the order in which they lie, each with whether it is a pin."""
    order: list[tuple[Line | Patch, bool]] = []
    pins = sorted(document.pins, key=lambda pin: pin.above)
    for place in range(len(document.items) + 1):
        while pins and (pins[0].above <= place or place == len(document.items)):
            order.append((pins.pop(0).item, True))
        if place < len(document.items):
            order.append((document.items[place], False))
    return order


def pinned_values(document: StrokeDocument, shape: tuple[int, int]) -> NDArray[np.int32]:
    """Return (H, W) class values of what is pinned, -1 elsewhere and where a later stroke is."""
    drawn = []
    for item, is_pin in with_pins_between(document):
        drawn.append(as_stroke(item if is_pin else replace(item, value=_NOT_PINNED)))
    values = draw_strokes(drawn, shape, width=1, unlabeled=_NOT_PINNED)
    return np.where(values == _NOT_PINNED, -1, values).astype(np.int32)
