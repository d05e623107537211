"""Finished measurements, one JSON line each, so that a run that was stopped goes on.

The first line holds the settings that all rows share. A line is appended in one write after each
measurement; what a crash left of a last line is cut off when the file is opened again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.data.specs import MAX_CLASSES
from saccade.errors import InputError
from saccade.strict_json import json_text

Key = tuple[str, str, str, int]
"""Set, stem of the image, branch, seed."""


@dataclass(frozen=True)
class Row:
    """One segmentation: ``matrix`` (K, K) int32 counts, rows = truth; ``seconds`` it took."""

    key: Key
    matrix: NDArray[np.int32]
    seconds: float


def open_rows(
    path: Path, settings: dict[str, Any], renamed: Mapping[str, str] = MappingProxyType({})
) -> dict[Key, Row]:
    """Read the rows of earlier runs, or begin a file.

    Args:
        path: the file.
        settings: what the rows must have been measured with; values are strings.
        renamed: what settings in earlier files call otherwise: old text -> its text today.

    Raises:
        InputError: the rows there are of other settings, or the file is none of this kind.
    """
    if not path.exists() or not path.stat().st_size:
        path.write_text(json_text({"settings": settings}) + "\n", encoding="utf-8")
        return {}
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
    try:
        head, *lines = data[:whole].decode().splitlines()
        found = _in_todays_names(json.loads(head)["settings"], renamed)
        rows = [_decoded(line) for line in lines]
    except (
        *(ValueError, KeyError, TypeError, IndexError),
        *(AttributeError, OverflowError, RecursionError),
    ) as error:
        raise InputError(f"{path}: not a file of rows; give -o another folder") from error
    if found != settings:
        differing = sorted(k for k in {*found, *settings} if found.get(k) != settings.get(k))
        raise InputError(
            f"{path}: was measured with another {', '.join(differing)}; give -o another folder"
        )
    return {row.key: row for row in rows}


def append_row(path: Path, row: Row) -> None:
    """Append a row to the file of `open_rows`."""
    y, x = np.nonzero(row.matrix)
    content = {
        "key": row.key,
        "seconds": round(row.seconds, 3),
        "classes": len(row.matrix),
        "counts": [y.tolist(), x.tolist(), row.matrix[y, x].tolist()],
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json_text(content, separators=(",", ":")) + "\n")


def _in_todays_names(settings: dict[str, str], renamed: Mapping[str, str]) -> dict[str, str]:
    for old, new in renamed.items():
        settings = {key: value.replace(old, new) for key, value in settings.items()}
    return settings


def _decoded(line: str) -> Row:
    content = json.loads(line)
    name, stem, branch, seed = content["key"]
    if not 0 < content["classes"] <= MAX_CLASSES:
        raise ValueError("no number of classes")
    matrix = np.zeros((content["classes"],) * 2, np.int32)
    y, x, counts = content["counts"]
    matrix[y, x] = counts
    return Row((name, stem, branch, int(seed)), matrix, float(content["seconds"]))
