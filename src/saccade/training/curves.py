"""Loss, scores and learning rate of a run as a picture, and the file that keeps them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.files import atomic_write, read_json
from saccade.training.state import State

LOSSES, HISTORY, CURVES = "losses.csv", "history.json", "curves.png"

_INK, _FAINT, _BLUE, _ORANGE = "#30343a", "#c9d6ea", "#3b6fb5", "#c8702a"


def write_losses(folder: Path, losses: Sequence[Sequence[float]]) -> None:
    """Write losses.csv: step, loss and learning rate of every tenth step."""
    with atomic_write(folder / LOSSES) as path, path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["step", "loss", "lr"])
        writer.writerows([int(step), f"{loss:.6g}", f"{rate:.6g}"] for step, loss, rate in losses)


def read_run(folder: Path) -> State:
    """History and losses of a run as its files have them; what is missing is empty."""
    history = read_json(folder / HISTORY) if (folder / HISTORY).is_file() else []
    losses: list[list[float]] = []
    if (folder / LOSSES).is_file():
        with (folder / LOSSES).open(encoding="utf-8", newline="") as file:
            losses = [[float(value) for value in row] for row in list(csv.reader(file))[1:]]
    best = max((entry["miou"] for entry in history), default=-1.0)
    step = int(losses[-1][0]) if losses else 0
    return State(step, {}, {}, {}, {}, best, history, losses=losses)


def smoothed(values: NDArray[np.float64], half: float) -> NDArray[np.float64]:
    """A moving average whose weights are halved every `half` values; it starts at the first one.

    Example:
        >>> smoothed(np.array([4.0, 0.0, 0.0]), 1.0).tolist()
        [4.0, 1.3333333333333333, 0.5714285714285714]
    """
    decay, total, weight = 0.5 ** (1 / half), 0.0, 0.0
    found = np.empty(len(values))
    for index, value in enumerate(values):
        total, weight = decay * total + value, decay * weight + 1
        found[index] = total / weight
    return found


def draw_curves(path: Path, state: State) -> bool:
    """Draw loss, scores and learning rate; returns False where matplotlib is missing.

    Args:
        path: of the PNG.
        state: of the run.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(9.6, 3.0), layout="constrained", facecolor="white")
    axes = figure.subplots(1, 3, width_ratios=(3, 3, 2))
    _draw_losses(axes[0], axes[2], state.losses)
    _draw_scores(axes[1], state.history)
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(colors=_INK, labelsize=8)
        panel.set_xlabel("step", fontsize=8, color=_INK)
        panel.set_xlim(left=0)
        panel.grid(axis="y", color="#e6e8eb", linewidth=0.6)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
    return True


def _entitle(panel: Any, title: str) -> None:
    panel.set_title(title, fontsize=9, color=_INK, loc="left", pad=10)


def _draw_losses(panel: Any, rates: Any, losses: Sequence[Sequence[float]]) -> None:
    _entitle(panel, "loss")
    _entitle(rates, "learning rate")
    if not losses:
        return
    steps, values, rate = np.array(losses, float).T
    panel.plot(steps, values, color=_FAINT, linewidth=0.8)
    mean, dot = smoothed(values, max(1.0, len(values) / 30)), "o" if len(values) == 1 else ""
    panel.plot(steps, mean, color=_BLUE, linewidth=1.6, marker=dot, markersize=3)
    # The first steps are far above all others and would press these flat.
    panel.set_ylim(0, 1.1 * float(np.quantile(values, 0.98)) or None)
    rates.plot(steps, rate, color=_INK, linewidth=1.2, marker=dot, markersize=3)
    rates.set_ylim(bottom=0)
    rates.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    rates.yaxis.get_offset_text().set_fontsize(8)


def _draw_scores(panel: Any, history: Sequence[dict[str, Any]]) -> None:
    _entitle(panel, "scores on held-out images, %")
    panel.set_ylim(0, 100)
    if not history:
        panel.text(0.5, 0.5, "none were asked for", transform=panel.transAxes, ha="center")
        return
    steps = [entry["step"] for entry in history]
    mious = [100 * (entry["miou"] or 0.0) for entry in history]
    accuracies = [100 * (entry["accuracy"] or 0.0) for entry in history]
    marker = "o" if len(steps) < 30 else ""
    for values, color, name in ((accuracies, _ORANGE, "accuracy"), (mious, _BLUE, "mIoU")):
        panel.plot(steps, values, color=color, linewidth=1.6, marker=marker, markersize=3)
        panel.annotate(
            f"{name} {values[-1]:.0f}",
            (steps[-1], values[-1]),
            xytext=(0, 5),
            textcoords="offset points",
            ha="right",
            fontsize=8,
            color=color,
        )
    top = int(np.argmax(mious))
    panel.plot(steps[top], mious[top], "o", color=_BLUE, markersize=6, fillstyle="none")
