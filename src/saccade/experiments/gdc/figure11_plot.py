"""The picture of `figure11`: one row per branch, the paper's panel first, then four moments."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from saccade.experiments.engine.plotting import (
    COLORS,
    INK,
    hide_ticks,
    new_figure,
    save_figure,
    show_image,
)
from saccade.experiments.gdc.record_features import Pixels
from saccade.experiments.gdc.separation import Movement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POSITIONS = ("#d1495b", "#2f6db3")  # the paper's red and blue cross


@dataclass(frozen=True)
class Panels:
    """One branch: embeddings (T, 2, 2) of two positions over the steps, (P, 2) at each moment."""

    branch: str
    path: NDArray[np.float64]
    moments: tuple[NDArray[np.float64], ...]
    purity: tuple[float, ...]
    movement: Movement


@dataclass(frozen=True)
class Drawing:
    """All that the figure shows; ``positions`` (2, 2) are (y, x) in the image."""

    image: NDArray[np.uint8]
    pixels: Pixels
    positions: NDArray[np.float64]
    panels: tuple[Panels, ...]
    moments: tuple[int, ...]


def draw(drawing: Drawing, path: Path) -> Path:
    """Write the figure as PNG; returns `path`.

    Raises:
        InputError: matplotlib is not installed.
    """
    columns = 2 + len(drawing.moments)
    figure = new_figure(2.3 * columns, 2.75 * len(drawing.panels))
    grid = figure.subplots(len(drawing.panels), columns)
    _draw_image(grid[0][0], drawing)
    _draw_legend(grid[1][0], drawing)
    for row, panels in zip(grid, drawing.panels, strict=True):
        _draw_path(row[1], panels)
        for axes, positions, purity in zip(row[2:], panels.moments, panels.purity, strict=True):
            _draw_moment(axes, positions, drawing.pixels)
            axes.set_xlabel(f"purity {purity:.3f}", fontsize=9, color=INK)
    titles = ["two positions, all steps", *(f"classes, step {step}" for step in drawing.moments)]
    for axes, title in zip(grid[0][1:], titles, strict=True):
        axes.set_title(title, fontsize=10, color=INK)
    save_figure(figure, path)
    return path


def _draw_image(axes: "Axes", drawing: Drawing) -> None:
    show_image(axes, drawing.image)
    for (y, x), color in zip(drawing.positions, POSITIONS, strict=True):
        axes.scatter(x, y, s=90, c=color, marker="X", edgecolors="white", linewidths=1.2)


def _draw_legend(axes: "Axes", drawing: Drawing) -> None:
    from matplotlib.lines import Line2D

    axes.set_axis_off()
    handles = [
        Line2D([], [], ls="", marker="X", ms=8, color=c, mec="white", label=f"position {i}")
        for i, c in enumerate(POSITIONS, start=1)
    ]
    names = ("background", "object") if drawing.pixels.truth.max() == 1 else None
    for k in np.unique(drawing.pixels.truth):
        name = names[k] if names else f"class {k}"
        color = _class_color(int(k))
        handles.append(Line2D([], [], ls="", marker="o", ms=6, color=color, label=name))
    handles.append(
        Line2D([], [], ls="", marker="o", ms=6, mfc="none", mec=INK, label="training label")
    )
    axes.legend(handles=handles, loc="center", frameon=False, fontsize=9, labelcolor=INK)


def _draw_path(axes: "Axes", panels: Panels) -> None:
    """Both positions; early steps pale, late ones firm."""
    hide_ticks(axes)
    opacity = np.linspace(0.25, 1.0, len(panels.path)).tolist()
    for positions, color in zip(panels.path.swapaxes(0, 1), POSITIONS, strict=True):
        axes.plot(*positions.T, color=color, lw=0.6, alpha=0.3)
        x, y = positions.T
        axes.scatter(x, y, s=14, c=[(color, a) for a in opacity], linewidths=0)
    axes.set_ylabel(panels.branch.replace("gdc sigma", "GDC, sigma"), fontsize=11, color=INK)
    moved = panels.movement
    axes.set_xlabel(f"spread {moved.spread:.2f}, jump {moved.jump:.2f}", fontsize=9, color=INK)


def _draw_moment(axes: "Axes", positions: NDArray[np.float64], pixels: Pixels) -> None:
    hide_ticks(axes)
    for k in np.unique(pixels.truth):
        for labelled in (False, True):
            mine = (pixels.truth == k) & (pixels.labelled == labelled)
            edge = INK if labelled else "none"
            x, y = positions[mine].T
            axes.scatter(x, y, s=11, c=_class_color(int(k)), edgecolors=edge, linewidths=0.7)


def _class_color(k: int) -> str:
    return ("#8a9099", "#e0a030", *COLORS)[k % (2 + len(COLORS))]
