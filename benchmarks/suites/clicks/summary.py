"""The table: clicks needed, the curve, what clicks cost, what they change far away, seconds.

An image that never reaches an IoU counts as the most clicks there were, as in the literature, so
means of slow methods are lower bounds; how many failed is beside it. A mask that was right enough
stays as it was in the curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import nan, sqrt

import numpy as np

from benchmarks.harness.text_table import aligned, number
from benchmarks.suites.clicks.session import Step

COST = 0.02  # a click after which the IoU is lower by more than this costs
THRESHOLDS = (0.90, 0.95)
CURVE = (1, 2, 3, 5, 10, 15, 20)  # clicks that the table shows

Sessions = Sequence[Sequence[Step]]  # of one method, one an image


@dataclass(frozen=True)
class Needed:
    """Clicks to one IoU."""

    clicks: float  # mean over images
    error: float  # standard error of that
    failed: int  # images that never got there


@dataclass(frozen=True)
class Row:
    """One line of the table: one method on one set."""

    set: str
    method: str
    images: int
    noc90: Needed | None  # None where clicks do not go to the largest error
    noc95: Needed | None
    curve: list[float]  # mean IoU after 1, 2, ... clicks
    corrections: int  # clicks that had a mask before them
    cost: float  # share of these after which the IoU is lower by more than `COST`
    lost: float  # mean share of the image, far from a correction, that it turned wrong
    gained: float  # the same that it turned right
    seconds: float  # a click, median
    processor: float  # of the processor's time, the same
    once: float  # seconds once an image, median


def clicks_needed(steps: Sequence[Step], threshold: float, most: int) -> int | None:
    """Clicks until the IoU first reaches a threshold, None if it never does."""
    return next((s.click for s in steps if s.iou >= threshold and s.click <= most), None)


def needed(sessions: Sessions, threshold: float, most: int) -> Needed:
    """Clicks over the images of a set."""
    found = [clicks_needed(steps, threshold, most) for steps in sessions]
    clicks = np.array([most if count is None else count for count in found], float)
    error = float(clicks.std(ddof=1) / sqrt(len(clicks))) if len(clicks) > 1 else nan
    return Needed(float(clicks.mean()), error, found.count(None))


def mean_curve(sessions: Sessions, most: int) -> list[float]:
    """Mean IoU after 1 .. most clicks."""
    held = [[steps[min(n, len(steps)) - 1].iou for n in range(1, most + 1)] for steps in sessions]
    return [float(value) for value in np.mean(held, 0)]


def cost_share(sessions: Sessions) -> tuple[int, float]:
    """How many clicks had a mask before them, and the share of these that cost."""
    changes = [
        after.iou - before.iou
        for steps in sessions
        for before, after in pairwise(steps)
        if not np.isnan(after.lost)
    ]
    share = sum(change < -COST for change in changes) / len(changes) if changes else nan
    return len(changes), share


def summarize(name: str, method: str, sessions: Sessions, most: int, *, suggests: bool) -> Row:
    """The line of one method on one set.

    Args:
        name: of the set.
        method: its name.
        sessions: steps of each image.
        most: clicks at most.
        suggests: whether clicks went where the method suggested: clicks needed mean nothing then.
    """
    steps = [step for session in sessions for step in session]
    corrections, cost = cost_share(sessions)
    counts = [None if suggests else needed(sessions, t, most) for t in THRESHOLDS]
    return Row(
        set=name,
        method=method,
        images=len(sessions),
        noc90=counts[0],
        noc95=counts[1],
        curve=mean_curve(sessions, most),
        corrections=corrections,
        cost=cost,
        lost=_mean([step.lost for step in steps]),
        gained=_mean([step.gained for step in steps]),
        seconds=_median([step.seconds for step in steps if step.seconds]),
        processor=_median([step.processor for step in steps if step.seconds]),
        once=_median([session[0].once for session in sessions]),
    )


def table(rows: Sequence[Row]) -> str:
    """Two aligned tables: clicks and what they cost, and the curve."""
    if not rows:
        return "no method ran"
    head = ["method", "set", "n", "NoC@90", "se", "fail", "NoC@95", "se", "fail"]
    head += ["cost", "far lost", "far gained", "s a click", "of cpu", "s once"]
    body = [
        [
            *(row.method, row.set, str(row.images)),
            *_needed_cells(row.noc90),
            *_needed_cells(row.noc95),
            *(number(row.cost, ".1%"), number(row.lost, ".2%"), number(row.gained, ".2%")),
            *(number(s, ".3f") for s in (row.seconds, row.processor, row.once)),
        ]
        for row in rows
    ]
    most = max(len(row.curve) for row in rows)
    shown = sorted({*(n for n in CURVE if n < most), most})
    curve = [
        [row.method, row.set, *(number(row.curve[n - 1], ".3f") for n in shown)] for row in rows
    ]
    curve_head = ["method", "IoU after", *map(str, shown)]
    return (
        f"{aligned(head, body, left=2, group=1)}\n\n{aligned(curve_head, curve, left=2, group=1)}"
    )


def _needed_cells(found: Needed | None) -> list[str]:
    if found is None:
        return ["-", "-", "-"]
    return [f"{found.clicks:.2f}", number(found.error, ".2f"), str(found.failed)]


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else nan


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else nan
