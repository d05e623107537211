"""What figures share: colors, frames and PNG files. Needs matplotlib."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#2f6db3", "#d1495b", "#3a9d6e", "#e0a030", "#7b5ea7", "#5c6770")
INK = "#30343a"


def new_figure(width: float, height: float) -> "Figure":
    """A figure of that size in inches, laid out by constraints.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "matplotlib is not installed; pip install 'saccade[experiments]' brings it"
        ) from error
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def show_image(axes: "Axes", image: NDArray[np.uint8]) -> None:
    """An image (H, W, 3) without axes; one data unit is one pixel."""
    axes.imshow(image, interpolation="bilinear")
    axes.set_axis_off()


def to_image_pixels(
    positions: NDArray[Any], size: tuple[int, ...], image_size: tuple[int, ...]
) -> NDArray[np.float64]:
    """Pixels (..., 2) of (y, x) of a map (h, w) as pixels of its image (H, W), center on center."""
    return (positions + 0.5) * np.divide(image_size, size) - 0.5


def hide_ticks(axes: "Axes") -> None:
    """A pale frame without ticks, for embeddings whose units mean nothing."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#d5d8dc")


def save_figure(figure: "Figure", path: Path, *, dpi: int = 115) -> None:
    """Write a PNG of at most 256 colors, which halves a scatter plot's size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(dpi)
    canvas.draw()  # type: ignore[no-untyped-call]
    rendered = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    pixels = Image.fromarray(rendered).convert("RGB")
    small = pixels.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    with atomic_write(path) as temporary:
        small.save(temporary, optimize=True)
