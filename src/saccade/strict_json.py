"""JSON as every file and answer of Saccade has it, by one function; and what is stored so."""

import json
import math
from pathlib import Path
from typing import Any


def stored_json(path: Path) -> Any:
    """What Saccade stored beside a result; None where it is damaged, or not there."""
    try:
        return json.loads(path.read_bytes().decode())
    except (OSError, ValueError, RecursionError):
        return None


def json_text(content: Any, **options: Any) -> str:
    """Strict JSON of plain values: what no JSON has, NaN and infinity, becomes null.

    Every file and answer goes through here: Python's own would write `NaN`, which browsers and
    most other readers refuse.

    Args:
        content: dicts, lists, tuples, text, numbers, booleans and None.
        options: of `json.dumps`, as indent.

    Example:
        >>> json_text({"miou": float("nan"), "iou": [0.5, float("inf")]})
        '{"miou": null, "iou": [0.5, null]}'
    """
    try:
        return json.dumps(content, allow_nan=False, **options)
    except ValueError:
        return json.dumps(_finite(content), allow_nan=False, **options)


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
