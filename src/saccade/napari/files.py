"""Files for napari: strokes in, masks out, a photograph to try."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import MASK_FORMATS, write_mask

LayerData = tuple[Any, dict[str, Any], str]


def strokes_reader(path: str | list[str]) -> Callable[[Any], list[LayerData]] | None:
    """Return what reads a stroke file as a labels layer, or None where it is none."""
    if isinstance(path, list) or not Path(path).is_file():
        return None
    return read_strokes_layer


def read_strokes_layer(path: str | list[str]) -> list[LayerData]:
    """Read strokes as a labels layer: 0 where nobody drew, class values one higher.

    Raises:
        InputError: the file cannot be read as strokes.
    """
    file = Path(path if isinstance(path, str) else path[0])
    strokes = read_any_strokes(file)
    labels = np.where(strokes.labels == strokes.unlabeled, 0, strokes.labels + 1)
    metadata = {"saccade": {"names": {v + 1: n for v, n in strokes.names.items()}}}
    name = f"{file.name.partition('.')[0]} strokes"
    return [(labels.astype(np.int32), {"name": name, "metadata": metadata}, "labels")]


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a labels layer as a mask; the format goes by the end of the file's name.

    Raises:
        InputError: the layer is not 2-D, or an unknown ending.
    """
    labels = np.asarray(data)
    if labels.ndim != 2:
        raise InputError(f"labels of shape {labels.shape}, expected a 2-D mask: save a slice")
    by_length = sorted(MASK_FORMATS.items(), key=lambda item: -len(item[1].suffix))
    fmt = next((name for name, f in by_length if str(path).lower().endswith(f.suffix)), None)
    if fmt is None:
        endings = ", ".join(f.suffix for f in MASK_FORMATS.values())
        raise InputError(f"{path}: ends in none of {endings}")
    known = (meta.get("metadata") or {}).get("saccade", {}).get("names")
    write_mask(path, labels, fmt, names=known)
    return [str(path)]


def sample_cat() -> list[LayerData]:
    """Return the photograph that scikit-image carries, and an empty layer for strokes."""
    from skimage import data

    photograph: Any = data  # its functions carry no types
    picture = np.asarray(photograph.cat())
    strokes = np.zeros(picture.shape[:2], np.int32)
    return [
        (picture, {"name": "cat", "rgb": True}, "image"),
        (strokes, {"name": "strokes", "opacity": 1.0}, "labels"),
    ]
