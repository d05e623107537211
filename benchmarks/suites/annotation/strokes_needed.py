"""How many strokes until a mask is good enough, and how sure one is of the difference.

An image that never gets there within the rounds counts as one stroke more than there were rounds:
its true number is at least that, so means of slow policies are lower bounds. The share of images
that got there is reported beside the mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.text_table import aligned
from benchmarks.suites.annotation.annotator import Round

SCORES = ("mean_iou", "object_iou")
RESAMPLES = 10_000

# Trajectories of one policy: first index the image, second the annotator's seed.
Runs = Sequence[Sequence[Sequence[Round]]]


@dataclass(frozen=True)
class Needed:
    """One line of the table: one policy, one score, one threshold."""

    set: str
    policy: str
    score: str
    threshold: float
    images: int
    strokes: float  # mean over images
    reached: float  # share of images that reached the threshold
    fewer: float  # strokes of the reference minus this policy's; positive: this one needs fewer
    low: float  # 95 % interval of `fewer`, paired bootstrap over images
    high: float


def strokes_needed(rounds: Sequence[Round], score: str, threshold: float, limit: int) -> int:
    """Strokes until ``score`` first reaches ``threshold``; ``limit`` + 1 if it never does."""
    for step in rounds:
        if getattr(step, score) >= threshold:
            return step.strokes
    return limit + 1


def paired_interval(
    differences: NDArray[np.float64], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """95 % interval of the mean of differences (N,) by bootstrap; NaN for fewer than two."""
    count = len(differences)
    if count < 2:
        return nan, nan
    picks = np.random.default_rng(seed).integers(count, size=(resamples, count))
    low, high = np.quantile(differences[picks].mean(1), [0.025, 0.975])
    return float(low), float(high)


def compare(
    name: str,
    runs: Mapping[str, Runs],
    *,
    thresholds: Sequence[float],
    limit: int,
    reference: str = "random",
) -> list[Needed]:
    """The table of one set.

    Args:
        name: name of the set.
        runs: policy -> trajectories, images in the same order for all.
        thresholds: of both scores.
        limit: rounds at most.
        reference: the policy that the others are compared with; NaN where it did not run.
    """
    rows = []
    for score in SCORES:
        for threshold in thresholds:
            counts = {p: _counts(r, score, threshold, limit) for p, r in runs.items()}
            for policy, count in counts.items():
                means = count.mean(1)
                against = counts[reference].mean(1) if reference in counts else means * nan
                low, high = paired_interval(against - means)
                rows.append(
                    Needed(
                        set=name,
                        policy=policy,
                        score=score,
                        threshold=threshold,
                        images=len(means),
                        strokes=float(means.mean()),
                        reached=float((count <= limit).mean()),
                        fewer=float((against - means).mean()),
                        low=low,
                        high=high,
                    )
                )
    return rows


def _counts(runs: Runs, score: str, threshold: float, limit: int) -> NDArray[np.float64]:
    """(images, seeds)."""
    return np.array(
        [[strokes_needed(r, score, threshold, limit) for r in image] for image in runs], np.float64
    )


def mean_curve(runs: Runs, score: str, limit: int) -> NDArray[np.float64]:
    """Mean score (limit + 1,) after 0 .. limit strokes; a mask that was good enough stays."""
    curves = [
        [getattr(steps[min(n, len(steps) - 1)], score) for n in range(limit + 1)]
        for image in runs
        for steps in image
    ]
    return np.mean(curves, 0)


def table(rows: Sequence[Needed]) -> str:
    """The aligned table."""
    head = ["score", "policy", "set", "n", "strokes", "reached", "fewer than random", "95 %"]
    body = [
        [
            f"{r.score.replace('_', ' ')} {r.threshold:.2f}",
            r.policy,
            r.set,
            str(r.images),
            f"{r.strokes:.2f}",
            f"{r.reached:.0%}",
            "-" if np.isnan(r.fewer) else f"{r.fewer:+.2f}",
            "-" if np.isnan(r.low) else f"{r.low:+.2f} .. {r.high:+.2f}",
        ]
        for r in rows
    ]
    return aligned(head, body, left=3, group=0)
