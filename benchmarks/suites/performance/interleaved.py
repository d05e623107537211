"""Presets, the update and GrabCut in turns: on each image each of them, only the call timed."""

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks import peers
from benchmarks.harness.checks import Check
from benchmarks.harness.datasets import UNLABELED, Labels, Pair, score_image
from benchmarks.harness.timing import timed
from saccade.interactive import ScribbleSegmenter, segment

SET = "thin"
BOUNDS = {"fast": 0.5, "update": 0.2, "paper": 4.0}  # in units of GrabCut's time


# What is to be timed on one image, ready to go; it returns labels (H, W) and its own timings.
Prepared = Callable[[], tuple[NDArray[Any], Mapping[str, float]]]


@dataclass(frozen=True)
class Call:
    """One timed call on one image."""

    image: str
    method: str  # "grabcut", a preset, or "update"
    score: float  # mIoU in [0, 1]
    seconds: float  # wall time
    processor: float  # seconds of processor time: less than wall time where others use the machine
    stages: Mapping[str, float] = field(default_factory=dict)  # the stages' share of the wall time


def time_in_turns(pairs: Sequence[Pair], presets: Sequence[str]) -> list[Call]:
    """Time GrabCut, the presets and an update of the preset ``fast`` on the images.

    The update adds one stroke: what is fitted before, untimed, are the strokes without it. One
    round on the first image goes before and is not kept.
    """
    methods: dict[str, Callable[[Pair], Prepared]] = {
        "grabcut": _grabcut,
        **{name: partial(_preset, name=name) for name in presets},
        "update": _update,
    }
    for prepare in methods.values():
        prepare(pairs[0])()
    calls = []
    for number, pair in enumerate(pairs, start=1):
        calls += [_call(pair, name, prepare(pair)) for name, prepare in methods.items()]
        told = ", ".join(f"{c.method} {c.seconds:.2f} s" for c in calls[-len(methods) :])
        print(f"[{number}/{len(pairs)}] {pair.stem}: {told}", file=sys.stderr, flush=True)
    return calls


def _call(pair: Pair, method: str, prepared: Prepared) -> Call:
    call = timed(prepared)
    labels, timings = call.result
    stages = {name: s for name, s in timings.items() if name != "total"}
    if stages:
        stages["other"] = call.seconds - sum(stages.values())  # checking what was handed in
    score = score_image(SET, pair.truth, labels)
    return Call(pair.stem, method, score, call.seconds, call.processor, stages)


def without_one_stroke(strokes: Labels) -> Labels:
    """The strokes (H, W) as they may have been before the last one: the largest is taken away.

    Of strokes, connected over corners too, whose class has others; where no class has two, the
    lower half of the largest.
    """
    parts = []
    for value in np.setdiff1d(strokes, [UNLABELED]):
        found, count = ndimage.label(strokes == value, structure=np.ones((3, 3)))
        sizes = np.bincount(found.ravel())[1:]
        parts.append((count > 1, int(sizes.max()), found == sizes.argmax() + 1))
    several, _, largest = max(parts, key=lambda part: part[:2])
    before = strokes.copy()
    if several:
        before[largest] = UNLABELED
    else:
        rows, columns = np.nonzero(largest)
        half = slice((len(rows) + 1) // 2, None)
        before[rows[half], columns[half]] = UNLABELED
    return before


def stage_medians(calls: Sequence[Call]) -> dict[str, dict[str, float]]:
    """Median seconds of each stage of each method that tells its stages."""
    return {
        name: {stage: float(np.median([c.stages[stage] for c in of])) for stage in of[0].stages}
        for name, of in _grouped(calls).items()
        if of[0].stages
    }


def summary(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """For JSON: images, mean score and median times of each method, and these over GrabCut's."""
    rows = [
        {
            "method": name,
            "images": len(of),
            "score": float(np.mean([c.score for c in of])),
            "seconds": float(np.median([c.seconds for c in of])),
            "processor": float(np.median([c.processor for c in of])),
        }
        for name, of in _grouped(calls).items()
    ]
    for row in rows:
        row["to_grabcut"] = row["seconds"] / rows[0]["seconds"]
        row["processor_to_grabcut"] = row["processor"] / rows[0]["processor"]
    return rows


def csv_rows(calls: Sequence[Call]) -> list[dict[str, Any]]:
    """A row for each call, with its stages."""
    return [{k: v for k, v in vars(c).items() if k != "stages"} | dict(c.stages) for c in calls]


def checks(calls: Sequence[Call]) -> list[Check]:
    """The medians' ratios to GrabCut's, with their bounds on the wall time."""
    grabcut, *ours = summary(calls)
    name = f"GrabCut, 5 iterations, median of {grabcut['images']} images"
    found = [Check(name, grabcut["seconds"], unit="s")]
    for row in ours:
        name = f"{row['method']} / GrabCut"
        found.append(Check(name, row["to_grabcut"], BOUNDS.get(row["method"])))
        found.append(Check(f"{name}, processor time", row["processor_to_grabcut"]))
    return found


def _grouped(calls: Sequence[Call]) -> dict[str, list[Call]]:
    groups = defaultdict(list)
    for call in calls:
        groups[call.method].append(call)
    return dict(groups)


def _grabcut(pair: Pair) -> Prepared:
    return lambda: (peers.grabcut(pair.image, pair.strokes), {})


def _preset(pair: Pair, name: str) -> Prepared:
    def run() -> tuple[NDArray[Any], Mapping[str, float]]:
        result = segment(pair.image, pair.strokes, preset=name, device="cpu")
        return result.labels, result.timings

    return run


def _update(pair: Pair) -> Prepared:
    segmenter = ScribbleSegmenter("fast", device="cpu")
    segmenter.fit(pair.image, without_one_stroke(pair.strokes))

    def run() -> tuple[NDArray[Any], Mapping[str, float]]:
        result = segmenter.update(pair.strokes).result
        return result.labels, result.timings

    return run
