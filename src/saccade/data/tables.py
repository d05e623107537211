"""Frozen dataclasses from the tables of a TOML file, or from the JSON in a checkpoint."""

import math
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from saccade.errors import InputError


def from_table(kind: Any, table: str, values: dict[str, Any]) -> Any:
    """A dataclass from the keys and values of a table.

    Args:
        kind: the dataclass; its fields are numbers, strings, booleans, literals, tuples of them,
            or a literal string in place of a tuple.
        table: its name, for messages.
        values: of TOML or JSON: lists stand for tuples, a whole number may stand for a float.

    Raises:
        InputError: an unknown or missing key, a value of the wrong type, or one that the
            dataclass refuses.

    Example:
        >>> from saccade.data.transforms import Augmentation
        >>> from_table(Augmentation, "augmentation", {"crop": [320, 320]}).crop
        (320, 320)
    """
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise InputError(f"{table}: {unknown[0]!r} is no setting; there are {', '.join(known)}")
    for name, field in known.items():
        if name not in values and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"{table}: {name} is missing")
    return kind(**{k: _typed(f"{table}: {k}", v, known[k].type) for k, v in values.items()})


def _typed(name: str, value: Any, kind: Any) -> Any:
    """The value in the type of its field, where TOML's types allow it."""
    if get_origin(kind) in (UnionType, Union):
        kind = _one_kind(value, get_args(kind))
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{name} is {value!r}, must be one of {', '.join(get_args(kind))}")
        return value
    if get_origin(kind) is tuple:
        return _tuple(name, value, get_args(kind))
    if kind is float and type(value) is int:
        if abs(value) > 10**300:
            raise InputError(f"{name} is far from 0, must be a smaller number")
        return float(value)
    if type(value) is not kind:
        raise InputError(f"{name} is {value!r}, must be of type {kind.__name__}")
    if kind is float and not math.isfinite(value):
        raise InputError(f"{name} is {value}, must be a finite number")
    return value


def _one_kind(value: Any, kinds: tuple[Any, ...]) -> Any:
    """Of a union of a tuple and a literal the one that a value is meant for."""
    return next(k for k in kinds if (get_origin(k) is Literal) == isinstance(value, str))


def _tuple(name: str, value: Any, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{name} is {value!r}, must be a list")
    if parts[-1] is Ellipsis:
        parts = (parts[0],) * len(value)
    if len(value) != len(parts):
        raise InputError(f"{name} is {value!r}, must be a list of {len(parts)} numbers")
    pairs = enumerate(zip(value, parts, strict=True))
    return tuple(_typed(f"{name}[{i}]", part, kind) for i, (part, kind) in pairs)
