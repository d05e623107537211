"""labelme's JSON, as far as strokes and masks share it: the document and masks as PNG."""

import base64
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.data.shapes import OddShapeError
from saccade.errors import InputError
from saccade.files import one_line
from saccade.images import MAX_PIXELS, open_unlimited
from saccade.images.header import ALWAYS_COLORED, MOST_PIXELS_PER_BYTE

CLASSES_KEY = "saccade_classes"
COLORS_KEY = "saccade_colors"
"""Key of [[value, name], ...]; labelme hands unknown keys on."""

_VERSION = "5.2.0"  # the first labelme that knows shapes of type "mask"


_FORMS = {
    "linestrip": "line",
    "line": "line",
    "polyline": "line",
    "point": "line",
    "points": "dots",
    "polygon": "polygon",
    "oriented_rectangle": "polygon",
    "rotation": "polygon",  # X-AnyLabeling's name of it
    "quadrilateral": "polygon",
    "rectangle": "rectangle",
    "circle": "circle",
    "mask": "mask",
}
_FEWEST_POINTS = {"line": 1, "dots": 1, "polygon": 3, "rectangle": 2, "circle": 2, "mask": 2}


@dataclass(frozen=True)
class LabelmeShape:
    """A shape of labelme, checked.

    Attributes:
        label: its class, not empty.
        kind: its type, as labelme calls it.
        form: "line" (a dot where it has one point), "dots", "polygon", "rectangle" (two corners),
            "circle" (centre, then a point on it) or "mask" (of which only the points are checked).
        points: (x, y); (0, 0) is the centre of the upper left pixel.
        item: as it was in the file.
    """

    label: str
    kind: str
    form: str
    points: tuple[tuple[float, float], ...]
    item: dict[str, Any]


def labelme_shape(item: Any) -> LabelmeShape:
    """Return a shape of a labelme file, checked.

    A rectangle may have all its corners instead of two; it is a polygon then.

    Raises:
        OddShapeError: no label, an unknown type, too few or many points, no finite coordinates.

    Example:
        >>> labelme_shape({"label": "cat", "points": [[3, 4]], "shape_type": "point"}).form
        'line'
    """
    if not isinstance(item, dict) or not isinstance(item.get("label"), str) or not item["label"]:
        raise OddShapeError("a shape without a 'label' text")
    kind = item.get("shape_type") or "polygon"  # labelme before 3.0 had nothing else
    if not isinstance(kind, str) or kind not in _FORMS:
        known = ", ".join(_FORMS)
        raise OddShapeError(f"cannot be read, expected one of {known}")
    if not isinstance(item.get("points"), list):
        raise OddShapeError(f"'{item['label']}' has no list 'points'")
    form, points = _FORMS[kind], tuple(_point(point) for point in item["points"])
    if form == "rectangle" and len(points) in (4, 5):
        form = "polygon"
    most = 2 if form in ("rectangle", "circle", "mask") else len(points)
    if not _FEWEST_POINTS[form] <= len(points) <= most:
        raise OddShapeError(f"'{item['label']}' with {len(points)} points")
    return LabelmeShape(item["label"], kind, form, points, item)


def shape_kind(item: Any) -> str:
    """Return what labelme calls the type of a shape, checked or not."""
    return str((item.get("shape_type") or "polygon") if isinstance(item, dict) else "unknown")


def _point(point: Any) -> tuple[float, float]:
    try:
        x, y = (float(number) for number in point)
    except (TypeError, ValueError, OverflowError):
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise OddShapeError(f"point {str(point)[:60]}, expected two numbers [x, y]")
    return x, y


def labelme_file(
    shapes: Sequence[dict[str, Any]],
    size: tuple[int, int],
    image_path: str,
    classes: Iterable[tuple[int, str]],
) -> dict[str, Any]:
    """Return a labelme document; `imageData` is null.

    Args:
        shapes: labelme's shapes.
        size: (H, W) of the image.
        image_path: where labelme looks for the image.
        classes: value and name of each class.
    """
    return {
        "version": _VERSION,
        "flags": {},
        "shapes": list(shapes),
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": size[0],
        "imageWidth": size[1],
        CLASSES_KEY: [[value, name] for value, name in classes],
    }


def encode_png(mask: NDArray[np.bool_]) -> str:
    """Return a mask (h, w) as a PNG of 0 and 1 in base64, as labelme does."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8)).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def decode_mask_shape(
    shape: dict[str, Any], size: tuple[int, int]
) -> tuple[int, int, NDArray[np.bool_]]:
    """Return y, x and the mask (h, w) of a shape of type "mask".

    Args:
        shape: the shape; it has a label.
        size: (H, W) of the image, in which its box must be.

    Raises:
        OddShapeError: no box, a box outside the image, or a mask that is damaged or of another
            size.
    """
    try:
        (x0, y0), (x1, y1) = [(int(x), int(y)) for x, y in shape["points"]]
        if not (0 <= x0 <= x1 < size[1] and 0 <= y0 <= y1 < size[0]):
            raise ValueError("its box is outside the image")
        mask = decode_png(shape["mask"], (y1 - y0 + 1, x1 - x0 + 1))
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise OddShapeError(
            f"the mask of shape '{shape['label']}' cannot be read ({one_line(error)})"
        ) from error
    return y0, x0, mask


def decode_png(
    text: str,
    shape: tuple[int, int] | None = None,
    *,
    colors: bool = False,
    check: Callable[[int, int], None] | None = None,
) -> NDArray[np.bool_]:
    """Return the mask (h, w) of a PNG in base64: True where it is not 0.

    Args:
        text: the PNG in base64.
        shape: (h, w) that it must have; checked before it is decoded.
        colors: take an image with colours too, as a browser writes no other; its first channel
            is the mask.
        check: called with the height and the width that it decodes to, before it is decoded.

    Raises:
        InputError: no base64, no image, one with colours where they are not taken, one of another
            size, or one with too many pixels.
    """
    try:
        file = io.BytesIO(base64.b64decode(text, validate=True))
        with open_unlimited(file) as image:
            if image.format != "PNG":
                raise ValueError(f"it is {image.format}")
            most = MAX_PIXELS
            if check is not None:
                check(image.height, image.width)
            elif shape is None:  # a few bytes are not believed to be so large
                most = min(most, max(ALWAYS_COLORED, len(text) * MOST_PIXELS_PER_BYTE))
            if image.width * image.height > most:
                raise ValueError(f"{image.width} x {image.height} pixels are too many")
            if shape is not None and (image.height, image.width) != shape:
                raise ValueError(
                    f"{image.width} x {image.height} pixels, expected {shape[1]} x {shape[0]}"
                )
            mask = np.asarray(image)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # decoders raise nearly anything on a damaged file
        raise InputError(f"a mask is no PNG in base64 ({one_line(error)})") from error
    if colors and mask.ndim == 3:
        mask = mask[..., 0]
    if mask.ndim != 2:
        raise InputError("a mask has colours, expected a PNG of 0 and 1")
    return np.asarray(mask != 0)
