"""How images of a model are read, as JSON of its file and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from saccade.errors import InputError
from saccade.images import Reading
from saccade.images.components import Basis
from saccade.images.intensities import checked_window

_ARRAYS = ("low", "span", "matrix", "mean", "limits")


def reading_document(how: Reading) -> dict[str, Any]:
    """Plain values of `Reading`.

    >>> reading_document(Reading(("DAPI", 2), (0.0, 4095.0)))
    {'channels': ['DAPI', 2], 'window': [0.0, 4095.0], 'basis': None}
    """
    basis = how.basis
    return {
        "channels": None if how.channels is None else list(how.channels),
        "window": None if how.window is None else list(how.window),
        "basis": None
        if basis is None
        else {name: getattr(basis, name).tolist() for name in _ARRAYS},
    }


def reading_from(content: Mapping[str, Any] | None) -> Reading:
    """Inverse of `reading_document`; of None, images are pictures.

    Raises:
        KeyError, TypeError, ValueError: it is damaged.
    """
    if content is None:
        return Reading()
    channels, window, basis = (content[name] for name in ("channels", "window", "basis"))
    if channels is not None and not all(isinstance(one, int | str) for one in channels):
        raise ValueError("channels must be numbers or names")
    try:
        told = None if window is None else checked_window(window)
    except InputError as error:
        raise ValueError(str(error)) from error
    return Reading(
        None if channels is None else tuple(channels),
        told,
        None if basis is None else _basis(basis),
    )


def _basis(content: Mapping[str, Any]) -> Basis:
    found = {name: np.asarray(content[name], np.float64) for name in _ARRAYS}
    count, parts = found["matrix"].shape
    shapes = {"low": (count,), "span": (count,), "mean": (count,), "limits": (parts, 2)}
    wrong = [name for name, shape in shapes.items() if found[name].shape != shape]
    if wrong or not all(math.isfinite(one.sum()) for one in found.values()):
        raise ValueError(f"the basis of its channels is none ({', '.join(wrong) or 'not finite'})")
    low, span, matrix, mean, limits = (found[name] for name in _ARRAYS)
    return Basis(low, span, matrix, mean, limits)
