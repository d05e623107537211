"""Records beside results: what is known of each, and whether it need be made again.

A record is a JSON file, FOLDER/records/NAME.json for the result FOLDER/NAME.*, written after the
result, or just before a new one. Where both are there and it is newer than the inputs, the result
is whole and fits them.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin

from saccade.files import atomic_write
from saccade.stores import make_folders, modified
from saccade.strict_json import json_text, stored_json

R = TypeVar("R")

RECORDS = "records"
"""Name of the folder of records."""


def record_path(result: Path) -> Path:
    """Where the record of a result is.

    Example:
        >>> record_path(Path("masks/a.png")).as_posix()
        'masks/records/a.json'
    """
    return result.parent / RECORDS / f"{result.stem}.json"


def write_record(result: Path, content: Mapping[str, Any]) -> None:
    """Write the record of a result that is complete; the folder of records must exist."""
    with atomic_write(record_path(result)) as path:
        path.write_text(json_text(dict(content)) + "\n", encoding="utf-8")


@contextmanager
def recorded(result: Path, content: Mapping[str, Any]) -> Iterator[None]:
    """Record a result that the block writes, so that a kill at any time leaves no false record.

    The record of a new result comes first: without its result it says nothing. Where a result is
    replaced it comes after: a kill between them leaves the record of the old options.
    """
    new = not result.exists()
    make_folders(record_path(result).parent)
    if new:
        write_record(result, content)
    yield
    if not new:
        write_record(result, content)


def read_record(result: Path, inputs: Iterable[Path]) -> dict[str, Any] | None:
    """The record of a result that need not be made again, as far as files tell.

    Args:
        result: the file that the record belongs to.
        inputs: the files that it was made from.

    Returns:
        The content, or None where the result or its record is missing, the record is damaged, or
        an input has changed since.
    """
    path = record_path(result)
    if not result.is_file() or not path.is_file():
        return None
    written = modified(path)
    if any(modified(file) > written for file in inputs):
        return None
    content = stored_json(path)
    return content if isinstance(content, dict) else None


def record_of(kind: type[R], content: Mapping[str, Any]) -> R:
    """A dataclass of text, numbers, and dicts or tuples of them, from what a file says.

    Raises:
        TypeError: a key or a value that it cannot have: the file is damaged.

    Example:
        >>> from saccade.weak.map_masks import MapRecord
        >>> record_of(MapRecord, {"name": "a", "pixels": 12, "ignored": 3}).pixels
        12
    """
    record = kind(**content)
    for field in fields(cast(Any, kind)):
        value = getattr(record, field.name)
        if not _fits(value, field.type):
            raise TypeError(f"{field.name} is {value!r}")
    return record


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is dict:
        pairs = value.items() if isinstance(value, dict) else [(None, None)]
        return all(
            _fits(part, k) for pair in pairs for part, k in zip(pair, get_args(kind), strict=True)
        )
    if get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_fits(v, get_args(kind)[0]) for v in value)
    if kind is float:
        return type(value) in (int, float) and 0 <= value < float("inf")
    return type(value) is kind and (kind is not int or value >= 0)
