"""Records beside results: what is known of each, and whether it need be made again.

A record is a JSON file, FOLDER/records/NAME.json for the result FOLDER/NAME.*, written after the
result. Where it is there and newer than the inputs, the result is whole and fits them.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from saccade.files import atomic_write

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
        path.write_text(json.dumps(dict(content)) + "\n")


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
    written = path.stat().st_mtime
    if any(file.stat().st_mtime > written for file in inputs):
        return None
    try:
        content = json.loads(path.read_text())
    except ValueError:
        return None
    return content if isinstance(content, dict) else None
