"""The result of an evaluation on a set as a table, CSV, JSON and a picture of the confusions."""

import csv
from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.evaluation.metrics import iou_per_class, mean_iou, overall_accuracy
from saccade.files import atomic_write
from saccade.strict_json import json_text


def score_rows(
    matrix: NDArray[Any], names: Sequence[str], boundary: NDArray[np.float64] | None = None
) -> list[dict[str, Any]]:
    """One entry per class: name, share of the true pixels, IoU, recall, precision, boundary F.

    Args:
        matrix: (K, K) counts, rows = truth.
        names: of the K classes.
        boundary: (K,) F-scores of boundaries, or None.

    Returns:
        K dicts; scores in [0, 1], None where a class does not occur.
    """
    hits = np.diag(matrix).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "share": matrix.sum(1) / matrix.sum(),
            "iou": iou_per_class(matrix),
            "recall": hits / matrix.sum(1),
            "precision": hits / matrix.sum(0),
        }
    if boundary is not None:
        columns["boundary_f"] = boundary
    return [
        {"class": name, **{key: _plain(values[k]) for key, values in columns.items()}}
        for k, name in enumerate(names)
    ]


def summary(matrix: NDArray[Any], boundary: NDArray[np.float64] | None = None) -> dict[str, Any]:
    """mIoU, overall accuracy and the mean boundary F-score, in [0, 1] or None."""
    content = {"miou": _plain(mean_iou(matrix)), "accuracy": _plain(overall_accuracy(matrix))}
    if boundary is not None:
        known = boundary[~np.isnan(boundary)]
        content["boundary_f"] = _plain(known.mean()) if known.size else None
    return content


def as_table(rows: Sequence[dict[str, Any]], total: dict[str, Any]) -> str:
    """The scores in percent as text, a line per class and one for all."""
    keys = [key for key in rows[0] if key != "class"]
    width = max(5, *(len(row["class"]) for row in rows))
    lines = [f"{'class':<{width}}" + "".join(f"{key.replace('_', ' '):>12}" for key in keys)]
    lines += [
        f"{row['class']:<{width}}" + "".join(_cell(row[key], 12) for key in keys) for row in rows
    ]
    words = {"miou": "mIoU", "accuracy": "overall accuracy", "boundary_f": "boundary F-score"}
    lines += [f"{words[key]} {_cell(value, 0)} %" for key, value in total.items()]
    return "\n".join(lines)


def write_scores(
    folder: Path,
    matrix: NDArray[Any],
    names: Sequence[str],
    boundary: NDArray[np.float64] | None,
    about: dict[str, Any],
) -> list[Path]:
    """Write scores.csv, scores.json and confusion.csv into `folder`; returns their paths.

    Args:
        folder: must exist.
        matrix: (K, K) counts, rows = truth.
        names: of the K classes.
        boundary: (K,) F-scores of boundaries, or None.
        about: what else to keep: data, checkpoint, protocol.
    """
    rows, total = score_rows(matrix, names, boundary), summary(matrix, boundary)
    paths = [folder / name for name in ("scores.csv", "scores.json", "confusion.csv")]
    with atomic_write(paths[0]) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with atomic_write(paths[1]) as path:
        path.write_text(
            json_text({**about, **total, "classes": rows}, indent=2) + "\n", encoding="utf-8"
        )
    with atomic_write(paths[2]) as path, path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["truth", *names])
        lines.writerows([name, *row.tolist()] for name, row in zip(names, matrix, strict=True))
    return paths


def plot_confusion(path: Path, matrix: NDArray[Any], names: Sequence[str]) -> bool:
    """Draw the confusion matrix, rows scaled to 1; returns False where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    side = max(4.0, 0.32 * len(names) + 2)
    figure = Figure(figsize=(side + 0.8, side), layout="constrained", facecolor="white")
    axes = figure.subplots()
    rows = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    picture = axes.imshow(100 * rows, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth")
    if len(names) <= 24:
        for (y, x), share in np.ndenumerate(rows):
            if share >= 0.005:
                color = "white" if share > 0.55 else "#30343a"
                axes.text(x, y, f"{100 * share:.0f}", ha="center", va="center", color=color, size=7)
    figure.colorbar(picture, label="% of the true pixels", shrink=0.7)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
    return True


def _plain(value: Any) -> float | None:
    return None if isnan(value) else float(value)


def _cell(value: float | None, width: int) -> str:
    text = "-" if value is None else f"{100 * value:.2f}"
    return f"{text:>{width}}"
