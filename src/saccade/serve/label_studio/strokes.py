"""What an annotator drew in Label Studio, as strokes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.formats.label_studio import result_mask

UNLABELED = 65_535
_KINDS = ("brushlabels", "keypointlabels", "rectanglelabels", "polygonlabels")
_POINT_SHARE = 0.012  # radius of a point without a size, of the longer side


def strokes_from_results(
    results: list[dict[str, Any]], size: tuple[int, ...]
) -> tuple[NDArray[np.int32], dict[int, str]]:
    """Class values (H, W), `UNLABELED` where nobody drew, and the name of each value."""
    height, width = size
    values: dict[str, int] = {}
    labels = np.full((height, width), UNLABELED, dtype=np.int32)
    for result in results:
        name = _label_of(result)
        if name is None:
            continue
        if result.get("is_positive") in (0, False, "0") or is_background(name):
            name = "background"
        value = values.setdefault(name, 0 if name == "background" else len(values) + 1)
        mask = _result_pixels(result, height, width)
        labels[mask] = value
    present = set(np.unique(labels).tolist())
    return labels, {v: n for n, v in sorted(values.items(), key=lambda e: e[1]) if v in present}


def _result_pixels(result: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    value = result.get("value")
    if result.get("type") != "keypointlabels" or not isinstance(value, dict):
        return result_mask(result, height, width)
    try:
        x, y = float(value["x"]) / 100 * width, float(value["y"]) / 100 * height
        radius = float(value.get("width") or 0) / 100 * width
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("a point without x and y in percent") from error
    if not np.isfinite([x, y, radius]).all():
        raise InputError("a point without x and y in percent")
    radius = max(radius, _POINT_SHARE * max(height, width), 1.0)
    rows, columns = np.ogrid[:height, :width]
    return np.asarray((rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2 <= radius**2)


def _label_of(result: dict[str, Any]) -> str | None:
    value = result.get("value")
    value = value if isinstance(value, dict) else {}
    for kind in (*_KINDS, "labels"):
        names = value.get(kind)
        if isinstance(names, list) and names and isinstance(names[0], str):
            return str(names[0])
    return None


def is_background(name: str) -> bool:
    """Whether a label is a name of the background."""
    return name.strip("_ ").lower() in ("background", "bg")
