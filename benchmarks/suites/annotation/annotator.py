"""A simulated annotator: asks where to draw, draws one stroke of the true class there, asks again.

The rule is the same for every policy. The policy names a pixel; the annotator draws a stroke of a
human's length through it, of the class that is there in the ground truth (of the nearest known
pixel where the truth is unknown), inside that class, and the network goes on with `update`. A
stroke spent where the mask was right already is spent all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.harness.datasets import UNKNOWN, UNLABELED, Labels, Pair, image_matrix
from benchmarks.harness.folds import read_folds, unseen
from benchmarks.suites.calibration.uncertainty_metrics import over_draws
from saccade.evaluation.metrics import iou_per_class
from saccade.interactive.presets import preset_named
from saccade.interactive.segmenter import ScribbleSegmenter
from saccade.scribbles.simulate import draw_through

Place = tuple[int, int]


@dataclass(frozen=True)
class State:
    """What a policy may look at; ``truth`` is for the oracle alone."""

    segmenter: ScribbleSegmenter
    strokes: Labels  # (H, W), all drawn so far
    truth: Labels  # (H, W)


Policy = Callable[[State, np.random.Generator], Place]


@dataclass(frozen=True)
class Round:
    """The mask after ``strokes`` strokes of the annotator, 0 for those it began with."""

    image: str
    strokes: int
    mean_iou: float  # of object and background
    object_iou: float
    place: Place | None = None  # where the last stroke went


def suggested(state: State, rng: np.random.Generator) -> Place:
    """The first of `ScribbleSegmenter.suggest`; anywhere when it has nothing to say."""
    found = state.segmenter.suggest(1)
    return (found[0].row, found[0].column) if found else anywhere(state, rng)


def anywhere(state: State, rng: np.random.Generator) -> Place:
    """A pixel without a stroke, all equally likely."""
    free = np.argwhere(state.strokes == UNLABELED)
    y, x = free[rng.integers(len(free))].tolist()
    return y, x


def most_entropy(state: State, rng: np.random.Generator) -> Place:
    """The pixel whose probabilities have the largest entropy.

    With two classes it is also the pixel of the smallest margin between them.
    """
    p = state.segmenter.result.probabilities.clip(1e-7, 1)
    return _largest(-(p * np.log(p)).sum(0), state)


def most_uncertain(state: State, rng: np.random.Generator) -> Place:
    """The pixel of the largest ``uncertainty``."""
    return _largest(state.segmenter.result.uncertainty, state)


def most_spread(state: State, rng: np.random.Generator) -> Place:
    """The pixel where draws of the fitted network's sampling positions differ most."""
    return _largest(over_draws(state.segmenter)[1], state)


def largest_error(state: State, rng: np.random.Generator) -> Place:
    """The middle of the largest connected region of wrong pixels, which only the truth knows."""
    wrong = (state.segmenter.result.labels != state.truth) & (state.truth != UNKNOWN)
    parts, count = ndimage.label(wrong)
    if not count:
        return anywhere(state, rng)
    largest = parts == 1 + int(np.bincount(parts.ravel())[1:].argmax())
    depth = ndimage.distance_transform_edt(np.pad(largest, 1))[1:-1, 1:-1]
    return _largest(depth, state)


POLICIES: dict[str, Policy] = {
    "suggest": suggested,
    "random": anywhere,
    "entropy": most_entropy,
    "uncertainty": most_uncertain,
    "spread": most_spread,
    "oracle": largest_error,
}


def annotate(pair: Pair, policy: Policy, *, rounds: int, enough: float, seed: int) -> list[Round]:
    """Let the annotator work on one image.

    Args:
        pair: image, first strokes, truth.
        policy: says where to draw.
        rounds: strokes at most.
        enough: both scores have reached it: stop.
        seed: of the annotator's hand and of policies that draw at random. The network has seed 0.

    Returns:
        The scores before the first and after each stroke.
    """
    name = crc32(pair.stem.encode())
    hand, rng = np.random.default_rng([0, seed, name]), np.random.default_rng([1, seed, name])
    truth = without_unknown(pair.truth)
    strokes = pair.strokes.copy()
    preset = unseen(preset_named("fast"), pair.stem, read_folds())
    segmenter = ScribbleSegmenter(preset, classes=tuple(np.unique(truth).tolist()))
    segmenter.fit(pair.image, strokes)
    done = [_scores(pair, segmenter, 0, None)]
    while len(done) <= rounds and min(done[-1].mean_iou, done[-1].object_iou) < enough:
        place = policy(State(segmenter, strokes, pair.truth), rng)
        value = truth[place]
        strokes[draw_through(truth == value, place, hand)] = value
        segmenter.update(strokes)
        done.append(_scores(pair, segmenter, len(done), place))
    return done


def annotate_all(
    pairs: Sequence[Pair],
    policies: Sequence[str],
    *,
    rounds: int,
    enough: float,
    seeds: Sequence[int],
) -> dict[str, list[list[list[Round]]]]:
    """Policy -> image -> seed -> rounds; on each image every policy in turn."""
    runs: dict[str, list[list[list[Round]]]] = {policy: [] for policy in policies}
    for index, pair in enumerate(pairs):
        progress = []
        for policy, images in runs.items():
            images.append(
                [
                    annotate(pair, POLICIES[policy], rounds=rounds, enough=enough, seed=seed)
                    for seed in seeds
                ]
            )
            last = images[-1][0][-1]
            progress.append(f"{policy} {last.mean_iou:.3f} after {last.strokes}")
        head = f"[{index + 1}/{len(pairs)}] {pair.stem}: "
        print(head + ", ".join(progress), file=sys.stderr, flush=True)
    return runs


def one_stroke_a_class(pair: Pair) -> Pair:
    """The same image with nothing but the longest stroke of each class."""
    strokes = np.full_like(pair.strokes, UNLABELED)
    for value in np.setdiff1d(pair.strokes, [UNLABELED]):
        parts, _ = ndimage.label(pair.strokes == value, np.ones((3, 3)))
        largest = 1 + int(np.bincount(parts.ravel())[1:].argmax())
        strokes[parts == largest] = value
    return replace(pair, strokes=strokes)


def without_unknown(truth: Labels) -> Labels:
    """Truth (H, W) with unknown pixels given to the class of the nearest known one."""
    nearest: Sequence[NDArray[np.intp]] = ndimage.distance_transform_edt(
        truth == UNKNOWN, return_distances=False, return_indices=True
    )
    return truth[tuple(nearest)]


def _scores(pair: Pair, segmenter: ScribbleSegmenter, strokes: int, place: Place | None) -> Round:
    background, thing = iou_per_class(image_matrix("thin", pair.truth, segmenter.predict()))
    return Round(pair.stem, strokes, float(background + thing) / 2, float(thing), place)


def _largest(score: NDArray[np.floating], state: State) -> Place:
    free = np.where(state.strokes == UNLABELED, score, -np.inf)
    y, x = np.unravel_index(int(free.argmax()), free.shape)
    return int(y), int(x)
