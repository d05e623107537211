"""The table of scores: a set's mIoU with its standard error over images, and paired differences.

Draws of several seeds are averaged first, so that the error speaks of the images; the seeds' own
spread is reported beside it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.datasets import is_pooled, score_set
from benchmarks.harness.text_table import aligned, number
from saccade.errors import InputError
from saccade.evaluation.jackknife import Estimate, estimate_miou

Scores = Mapping[tuple[str, str], float]  # (set, method) -> mIoU

# Matrices of one method on one set: first index the seed, second the image.
Runs = Sequence[Sequence[NDArray[np.int64]]]


@dataclass(frozen=True)
class Row:
    """One line of the table: one method on one set."""

    set: str
    method: str
    images: int
    score: float  # mIoU in [0, 1]
    standard_error: float
    difference: float  # score minus the first method's
    difference_error: float
    seconds: float  # median over images and seeds
    to_grabcut: float  # seconds divided by GrabCut's on the same set; NaN without GrabCut
    seed_spread: float  # standard deviation of the set's score over seeds; NaN for one seed


def seed_scores(name: str, runs: Runs) -> list[float]:
    """Score of the set for each seed."""
    return [score_set(name, matrices) for matrices in runs]


def summarize(
    name: str, runs: Mapping[str, Runs], seconds: Mapping[str, Sequence[float]], first: str
) -> list[Row]:
    """Rows of one set.

    Args:
        name: name of the set.
        runs: method -> its matrices.
        seconds: method -> the time of every call.
        first: the method to compare with; where it did not run, differences are NaN.
    """
    scores = {m: estimate_miou(np.array(r), pooled=is_pooled(name)) for m, r in runs.items()}
    medians = {m: float(np.median(s)) for m, s in seconds.items()}
    unknown = Estimate(nan, np.empty(0))
    rows = []
    for method, run in runs.items():
        difference = scores[method].minus(scores[first]) if first in runs else unknown
        rows.append(
            Row(
                set=name,
                method=method,
                images=len(run[0]),
                score=scores[method].value,
                standard_error=scores[method].error,
                difference=difference.value,
                difference_error=difference.error,
                seconds=medians[method],
                to_grabcut=medians[method] / medians["grabcut"] if "grabcut" in medians else nan,
                seed_spread=float(np.std(seed_scores(name, run), ddof=1)) if len(run) > 1 else nan,
            )
        )
    return rows


def read_scores(path: Path) -> Scores:
    """The scores of an earlier run from its JSON file, InputError if it is none."""
    try:
        rows = json.loads(path.read_text())["table"]
        return {(row["set"], row["method"]): float(row["score"]) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not the JSON file of an earlier run") from error


def table(rows: Sequence[Row], first: str, before: Scores | None = None) -> str:
    """The aligned table: mIoU in [0, 1], se = standard error; ``before``, scores of another run."""
    if not rows:
        return "no method ran"
    head = [
        "method",
        "set",
        "n",
        "mIoU",
        "se",
        f"minus {first}",
        "se",
        "s",
        "x GrabCut",
        "seeds sd",
    ]
    body = [
        [
            *(row.method, row.set, str(row.images)),
            *(number(row.score, ".3f"), number(row.standard_error, ".3f")),
            *(number(row.difference, "+.3f"), number(row.difference_error, ".3f")),
            *(number(row.seconds, ".3f"), number(row.to_grabcut, ".2f")),
            number(row.seed_spread, ".4f"),
        ]
        for row in rows
    ]
    if before is not None:
        head += ["before", "change"]
        for row, line in zip(rows, body, strict=True):
            score = before.get((row.set, row.method), nan)
            line += [number(score, ".3f"), number(row.score - score, "+.3f")]
    return aligned(head, body, left=2, group=1)
