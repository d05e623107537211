"""What the plugin does to a viewer, with or without a window."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.images import ReadImage, read_array
from saccade.interactive import ScribbleSegmenter, Segmentation
from saccade.scribbles.strokes import Strokes, value_counts
from saccade.scribbles.unlabeled import choose_unlabeled

MASK_NAME = "Saccade mask"
UNCERTAINTY_NAME = "Saccade uncertainty"
PLACES_NAME = "Saccade: where next"
_CHANNELS = (3, 4)


@dataclass(frozen=True)
class Options:
    """How to segment, and which layers to make."""

    preset: str = "fast"
    seed: int = 0
    device: str = "auto"
    uncertainty: bool = True


@dataclass
class Fitted:
    """A segmenter with the picture that it was fitted to."""

    segmenter: ScribbleSegmenter
    picture: NDArray[np.uint8]
    options: Options
    plane: tuple[int, ...]
    remarks: tuple[str, ...] = ()


def picture_of(image: Any, plane: tuple[int, ...]) -> NDArray[np.uint8]:
    """`read_picture` without its remarks."""
    return read_picture(image, plane).pixels


def read_picture(image: Any, plane: tuple[int, ...]) -> ReadImage:
    """The 2-D slice of an image layer that is looked at, as (H, W, 3) uint8, and remarks on it.

    Contrast limits that somebody has set are kept, so that it is seen as it is shown. Otherwise
    intensities are read as those of files and arrays are.

    Args:
        image: a napari image layer.
        plane: index on each axis before the last two; those of a 2-D image are none.

    Raises:
        InputError: the layer shows several levels or is not at least 2-D.
    """
    data = image.data[0] if getattr(image, "multiscale", False) else image.data
    array = np.asarray(data[plane] if plane else data)
    if getattr(image, "rgb", False):
        return read_array(np.ascontiguousarray(array[..., :3]))
    if array.ndim != 2:
        raise InputError(f"layer '{image.name}': slice of shape {array.shape}, expected (H, W)")
    low, high = (float(limit) for limit in image.contrast_limits)
    if array.dtype != np.uint8 and (low, high) == _range(data):
        return read_array(array)
    return ReadImage(np.repeat(_scaled(array, low, high)[..., None], 3, axis=2))


def set_contrast(image: Any) -> tuple[float, float] | None:
    """Contrast limits of a gray layer that somebody has set; None where napari chose them."""
    if getattr(image, "rgb", False):
        return None
    data = image.data[0] if getattr(image, "multiscale", False) else image.data
    low, high = (float(limit) for limit in image.contrast_limits)
    known = (0.0, 255.0) if np.dtype(data.dtype) == np.uint8 else _range(data)
    return None if (low, high) == known or not low < high else (low, high)


def strokes_of(strokes: Any, plane: tuple[int, ...], size: tuple[int, int]) -> NDArray[np.int64]:
    """The slice of a labels layer: class values from 1, 0 where nobody drew.

    Raises:
        InputError: no labels layer, or another size than the image.
    """
    array = np.asarray(strokes.data)
    array = array[plane] if array.ndim > 2 else array
    if array.shape != size:
        raise InputError(
            f"layer '{strokes.name}': {array.shape[1]} x {array.shape[0]} pixels, the image has "
            f"{size[1]} x {size[0]}; draw on a labels layer of the same size"
        )
    return array.astype(np.int64)


def current_plane(viewer: Any, image: Any) -> tuple[int, ...]:
    """The index of the slice that the viewer shows, for the layer's axes before the last two."""
    extra = image.ndim - 2
    step = tuple(int(i) for i in viewer.dims.current_step)
    return step[len(step) - image.ndim : len(step) - 2] if extra > 0 else ()


def compute(
    image: Any,
    strokes: Any,
    plane: tuple[int, ...],
    options: Options,
    earlier: Fitted | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Fitted:
    """Fit to the strokes, or update an earlier fit of the same picture; touches no layer.

    Args:
        image: image layer.
        strokes: labels layer.
        plane: of `current_plane`.
        options: how.
        earlier: what the last call returned.
        progress: told the fraction done and the stage.
        cancel: asked between steps; once True, an earlier fit keeps its result.

    Raises:
        InputError: the layers do not go together, or nobody drew.
    """
    read = read_picture(image, plane)
    picture = read.pixels
    drawn = strokes_of(strokes, plane, (picture.shape[0], picture.shape[1]))
    known = _checked(drawn, strokes.name)
    same = (
        earlier is not None
        and (earlier.options.preset, earlier.options.seed, earlier.options.device)
        == (options.preset, options.seed, options.device)
        and np.array_equal(earlier.picture, picture)
    )
    if same and earlier is not None:
        earlier.segmenter.update(known, progress=progress, cancel=cancel)
        return Fitted(earlier.segmenter, picture, options, plane, read.remarks)
    segmenter = ScribbleSegmenter(options.preset, options.seed, options.device)
    segmenter.fit(picture, known, progress=progress, cancel=cancel)
    return Fitted(segmenter, picture, options, plane, read.remarks)


def _checked(drawn: NDArray[np.int64], name: str) -> Strokes:
    """Strokes of a labels layer, in which 0 always means that nobody drew."""
    if drawn.any():
        choose_unlabeled(
            drawn,
            value_counts(drawn),
            0,
            source=f"layer '{name}'",
            option="0 in the place of {}",
        )
    return Strokes(drawn.astype(np.int32), 0)


def show(viewer: Any, image: Any, strokes: Any, fitted: Fitted) -> None:
    """Put mask and uncertainty into layers of their own, as large and in place as the image."""
    result: Segmentation = fitted.segmenter.result
    mask = _whole(image, fitted.plane, result.labels, viewer, MASK_NAME)
    uncertainty = None
    if fitted.options.uncertainty:
        uncertainty = _whole(image, fitted.plane, result.uncertainty, viewer, UNCERTAINTY_NAME)
    put_layers(viewer, image, strokes, mask, uncertainty)


def put_layers(
    viewer: Any,
    image: Any,
    strokes: Any,
    mask: NDArray[Any],
    uncertainty: NDArray[Any] | None = None,
) -> None:
    """Make or change the layers of mask and uncertainty, below the strokes."""
    place = _place(image)
    if MASK_NAME in viewer.layers:
        viewer.layers[MASK_NAME].data = mask
    else:
        layer = viewer.add_labels(mask, name=MASK_NAME, opacity=0.45, **place)
        layer.colormap = strokes.colormap
        _below(viewer, layer, strokes)
    if uncertainty is not None:
        if UNCERTAINTY_NAME in viewer.layers:
            viewer.layers[UNCERTAINTY_NAME].data = uncertainty
        else:
            layer = viewer.add_image(
                uncertainty,
                name=UNCERTAINTY_NAME,
                colormap="magma",
                contrast_limits=(0.0, 1.0),
                opacity=0.7,
                visible=False,
                **place,
            )
            _below(viewer, layer, strokes)
    viewer.layers.selection.active = strokes


def fit_layers(
    viewer: Any,
    image: Any,
    strokes: Any,
    options: Options | None = None,
    earlier: Fitted | None = None,
) -> Fitted:
    """`compute` for the slice that is shown, then `show`.

    Raises:
        InputError: as `compute`.
    """
    plane = current_plane(viewer, image)
    fitted = compute(image, strokes, plane, options or Options(), earlier)
    show(viewer, image, strokes, fitted)
    return fitted


def show_places(viewer: Any, image: Any, fitted: Fitted, count: int = 5) -> int:
    """Show where a stroke would help most as numbered boxes, best first; their number."""
    if PLACES_NAME in viewer.layers:
        viewer.layers.remove(PLACES_NAME)
    places = fitted.segmenter.suggest(count)
    if not places:
        return 0
    boxes = []
    for place in places:
        top, left, bottom, right = place.box
        corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
        boxes.append(np.array([[*fitted.plane, y - 0.5, x - 0.5] for y, x in corners], float))
    numbers = [str(i) for i in range(1, len(places) + 1)]
    viewer.add_shapes(
        boxes,
        shape_type="polygon",
        name=PLACES_NAME,
        edge_color="yellow",
        face_color="transparent",
        edge_width=max(1.0, max(fitted.picture.shape) / 300),
        text={"string": numbers, "color": "yellow", "size": 14, "anchor": "upper_left"},
        **_place(image),
    )
    return len(places)


def _scaled(array: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    values = (array.astype(np.float32) - low) / ((high - low) or 1.0)
    if not np.isfinite(values).all():
        values = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
    return np.asarray(np.rint(values.clip(0, 1) * 255), dtype=np.uint8)


def _range(data: Any) -> tuple[float, float] | None:
    """The range of an array, which are the contrast limits that napari begins with."""
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "uif":
        return None  # lazy: computing it would read everything
    known = data[np.isfinite(data)] if data.dtype.kind == "f" else data
    return (float(known.min()), float(known.max())) if known.size else None


def _whole(
    image: Any, plane: tuple[int, ...], piece: NDArray[Any], viewer: Any, name: str
) -> NDArray[Any]:
    """A slice in an array as large as the image; the other slices keep what they had."""
    if not plane:
        return piece
    full = np.asarray(image.data[0] if getattr(image, "multiscale", False) else image.data)
    shape = full.shape[: image.ndim]
    known = np.asarray(viewer.layers[name].data) if name in viewer.layers else None
    whole = np.zeros(shape, piece.dtype) if known is None or known.shape != shape else known.copy()
    whole[plane] = piece
    return whole


def _place(image: Any) -> dict[str, Any]:
    return {"scale": image.scale, "translate": image.translate}


def _below(viewer: Any, layer: Any, other: Any) -> None:
    viewer.layers.move(viewer.layers.index(layer), viewer.layers.index(other))
