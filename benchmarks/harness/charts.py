"""The two charts of docs/notes/uncertainty.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from saccade.files import atomic_write

Points = Sequence[tuple[float, float]]

INK, FAINT = "#1f2937", "#9ca3af"
# Ours in a strong colour, the bounds grey, told apart by dashes too: the page may be printed.
STYLES: Mapping[str, tuple[str, Any]] = {
    "suggest": ("#c2410c", "-"),
    "random": ("#6b7280", (0, (5, 2))),
    "oracle": ("#6b7280", (0, (1, 1.5))),
    "entropy": ("#1d4ed8", (0, (5, 2))),
    "uncertainty": ("#6d28d9", (0, (6, 2, 1, 2))),
    "spread": ("#047857", (0, (3, 1.5))),
}
OTHERS = ("#c2410c", "#1d4ed8", "#047857", "#6d28d9")


def lines(
    path: Path, curves: Mapping[str, Points], *, across: str, up: str, diagonal: bool = False
) -> None:
    """Draw curves with a legend.

    Args:
        path: PNG file to write.
        curves: name -> its points (x, y), by ascending x.
        across: what x is.
        up: what y is.
        diagonal: also draw y = x, where a calibrated curve would lie.
    """
    with mpl.rc_context({"font.size": 9, "text.color": INK, "axes.labelcolor": INK}):
        figure = Figure(figsize=(5.6, 3.6), layout="constrained")
        axes = figure.subplots()
        if diagonal:
            axes.axline((1, 1), slope=1, color=FAINT, linewidth=1)
        for number, (name, points) in enumerate(curves.items()):
            colour, dashes = STYLES.get(name, (OTHERS[number % len(OTHERS)], "-"))
            x, y = zip(*points, strict=True)
            axes.plot(x, y, color=colour, linestyle=dashes, marker="o", markersize=3, label=name)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.grid(color=FAINT, alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, handlelength=3.2)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            figure.savefig(temporary, format="png", dpi=130)
