"""The plot of time against pixels and against classes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.suites.scaling.scaling_fit import CLASSES, PIXELS, Point, exponent, of_method
from saccade.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Ours in a strong color, the others quiet, told apart by dashes too: the page may be printed.
STYLES: Mapping[str, tuple[str, str, Any]] = {
    "saccade:fast": ("Saccade fast", "#c2410c", "-"),
    "grabcut": ("GrabCut", "#1d4ed8", (0, (5, 2))),
    "walker": ("random walker", "#6d28d9", (0, (1, 1.5))),
    "forest": ("random forest", "#047857", (0, (6, 2, 1, 2))),
    "geodesic": ("geodesic distance", "#6b7280", (0, (3, 1.5))),
}
INK, FAINT = "#1f2937", "#9ca3af"
TITLES = {
    PIXELS: ("Two classes, larger and larger images", "megapixels"),
    CLASSES: ("Photographs at their own size, more and more classes", "classes"),
}


def draw(points: Sequence[Point], patience: float, target: Path) -> None:
    """Write the plot as PNG: one panel for the pixels, one for the classes, both axes logarithmic.

    Args:
        points: what was measured.
        patience: seconds beyond which a method was not asked for the next size.
        target: file to write.
    """
    with mpl.rc_context({"font.size": 9, "text.color": INK, "axes.labelcolor": INK}):
        figure = Figure(figsize=(10, 4.6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for panel, axis in zip(panels, (PIXELS, CLASSES), strict=True):
            _panel(panel, axis, points)
        panels[0].set_ylabel("seconds of processor time")
        handles, names = panels[0].get_legend_handles_labels()
        place = {"loc": "outside upper left", "ncols": len(names)}
        figure.legend(handles, names, frameon=False, handlelength=3.2, **place)
        figure.supxlabel(
            "Numbers are fitted exponents, 1 is linear. A line ends where the next size would take "
            f"more than {patience:g} s; GrabCut knows two classes only.",
            fontsize=8,
            color="#6b7280",
        )
        with atomic_write(target) as path:
            figure.savefig(path, dpi=140, format="png")


def _panel(panel: "Axes", axis: str, points: Sequence[Point]) -> None:
    title, label = TITLES[axis]
    panel.set_title(title, loc="left", fontsize=10)
    panel.set(xscale="log", yscale="log", xlabel=label)
    sizes = sorted({p.size for p in points if p.axis == axis})
    panel.set_xticks(sizes, [f"{size:g}" for size in sizes])
    panel.minorticks_off()
    seconds = (0.01, 0.1, 1, 10, 100)
    panel.set_yticks(seconds, [f"{s:g}" for s in seconds])
    panel.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(length=3, color=FAINT, labelcolor=INK)
    curves = {method: of_method(points, axis, method) for method in STYLES}
    for method, (name, color, dashes) in STYLES.items():
        if curves[method]:
            _curve(panel, curves[method], name, color, dashes)
    _exponents(panel, curves)
    _linear_guide(panel, of_method(points, axis, "saccade:fast"))
    span = sizes[-1] / sizes[0]
    panel.set_xlim(sizes[0] / span**0.04, sizes[-1] * span**0.12)  # room for the numbers


def _curve(panel: "Axes", curve: Sequence[Point], name: str, color: str, dashes: Any) -> None:
    ours = name.startswith("Saccade")
    panel.plot(
        [p.size for p in curve],
        [p.seconds for p in curve],
        label=name,
        color=color,
        linestyle=dashes,
        linewidth=2.4 if ours else 1.4,
        marker="o",
        markersize=5 if ours else 3.5,
        zorder=3 if ours else 2,
    )


def _exponents(panel: "Axes", curves: Mapping[str, Sequence[Point]]) -> None:
    """The exponent of each curve at its end, those that would cover each other moved apart."""
    taken: dict[float, float] = {}  # size -> height of the label below
    for method, curve in sorted(curves.items(), key=lambda item: [p.seconds for p in item[1][-1:]]):
        if len(curve) < 2:
            continue
        end = curve[-1]
        height = max(end.seconds, taken.get(end.size, 0.0) * 1.5)
        taken[end.size] = height
        panel.annotate(
            f"{exponent(curve):.2f}",
            (end.size, height),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            color=STYLES[method][1],
            fontweight="bold" if method == "saccade:fast" else "normal",
        )


def _linear_guide(panel: "Axes", curve: Sequence[Point]) -> None:
    """A thin line of slope 1 from our first point."""
    if len(curve) < 2:
        return
    first, last = curve[0], curve[-1]
    end = first.seconds * last.size / first.size
    panel.plot([first.size, last.size], [first.seconds, end], color=FAINT, linewidth=1, zorder=1)
    panel.annotate(
        "linear",
        (last.size, end),
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color="#6b7280",
    )
