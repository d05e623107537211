"""One image, one method: click where the mask is most wrong until it is right enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.harness.datasets import UNKNOWN, UNLABELED, Labels, MaskedImage
from benchmarks.harness.timing import timed
from benchmarks.suites.annotation.annotator import without_unknown
from benchmarks.suites.clicks.methods import GROUND, OBJECT, ClickMethod, Session
from saccade.scribbles.clicks import (
    SHORT,
    Correction,
    draw_click,
    next_click,
    next_stroke,
)
from saccade.scribbles.simulate import draw_through


@dataclass(frozen=True)
class Rules:
    """How clicks are simulated, and until when."""

    most: int = 20  # clicks at most
    enough: float = 0.95  # IoU at which it ends
    start: int = 1  # 2: one click on the object and one in the ground before the first mask
    far: float = 0.2  # what is farther from the click is far; a share of the shorter side
    strokes: bool = False  # short strokes in place of discs
    whole: bool = False  # discs are not cut to their class


@dataclass(frozen=True)
class Step:
    """The mask after one click."""

    image: str
    method: str
    click: int  # from 1
    iou: float  # of the object; 0 before there is a mask
    row: int
    column: int
    value: int  # what the click says
    seconds: float  # from the click to the mask
    processor: float  # of these, the processor's: less where others use the machine
    once: float  # seconds before the first click
    lost: float  # share of the image, far from the click, that turned from right to wrong
    gained: float  # the same from wrong to right


Hand = Callable[[Session, Labels], Correction | None]


def simulate(image: MaskedImage, method: ClickMethod, rules: Rules) -> list[Step]:
    """The steps of one session, at least one.

    A session ends when the IoU is enough, after the most clicks, or when nothing is wrong. Of the
    first click (of the first two where they start together) ``lost`` and ``gained`` are NaN.
    """
    opened = timed(lambda: method.open(image))
    session, once = opened.result, opened.seconds
    rng = np.random.default_rng([0, crc32(image.stem.encode())])  # the same hand for every method
    hand = _hand(image, method, rules, rng)
    strokes = np.full_like(image.truth, UNLABELED)
    mask = np.full_like(image.truth, GROUND)
    drawn: list[Correction] = []
    steps: list[Step] = []
    while len(drawn) < rules.most:
        starting = len(drawn) < rules.start
        # The first click of each class goes to the middle of its largest region.
        seen = np.full_like(mask, GROUND if not drawn else OBJECT) if starting else mask
        click = _correct(image.truth, seen, rules, rng) if starting else hand(session, mask)
        if click is None:
            break
        drawn.append(click)
        strokes[click.pixels] = click.value
        before, seconds, processor = mask, 0.0, 0.0
        if len(drawn) >= rules.start:
            given = strokes.copy()  # a method that writes into its input harms only itself
            answer = timed(lambda given=given: session.segment(given, tuple(drawn)))
            mask, seconds, processor = answer.result, answer.seconds, answer.processor
        lost, gained = far_changes(image.truth, before, mask, click.pixels, rules.far)
        steps.append(
            Step(
                image=image.stem,
                method=method.name,
                click=len(drawn),
                iou=object_iou(image.truth, mask),
                row=click.place[0],
                column=click.place[1],
                value=click.value,
                seconds=seconds,
                processor=processor,
                once=once,
                lost=float("nan") if starting else lost,
                gained=float("nan") if starting else gained,
            )
        )
        if steps[-1].iou >= rules.enough:
            break
    return steps


def object_iou(truth: Labels, mask: Labels) -> float:
    """IoU of the object, unknown pixels left out."""
    known = truth != UNKNOWN
    thing, found = (truth == OBJECT) & known, (mask == OBJECT) & known
    return float((thing & found).sum() / (thing | found).sum())


def far_changes(
    truth: Labels, before: Labels, after: Labels, drawn: NDArray[np.bool_], far: float
) -> tuple[float, float]:
    """Shares of the known pixels, far from what was drawn, that went wrong and that went right.

    Args:
        truth: (H, W).
        before: mask (H, W) before the click.
        after: mask (H, W) after it.
        drawn: (H, W) bool, the click.
        far: distance in shorter sides of the image.
    """
    known = truth != UNKNOWN
    distance = ndimage.distance_transform_edt(~drawn)
    there = known & (distance > far * min(truth.shape))
    was, is_ = before == truth, after == truth
    lost, gained = (there & was & ~is_).sum(), (there & ~was & is_).sum()
    return float(lost / known.sum()), float(gained / known.sum())


def _hand(image: MaskedImage, method: ClickMethod, rules: Rules, rng: np.random.Generator) -> Hand:
    if not method.suggests:
        return lambda session, mask: _correct(image.truth, mask, rules, rng)
    filled = without_unknown(image.truth)

    def suggested(session: Session, mask: Labels) -> Correction | None:
        place = session.suggest()
        if place is None:
            return None
        value = int(filled[place])
        if rules.strokes:
            pixels = draw_through(filled == value, place, rng, length=SHORT, margin=2.0)
            return Correction(value, place, pixels, is_stroke=True)
        return draw_click(filled, value, place, whole=rules.whole)

    return suggested


def _correct(
    truth: Labels, mask: Labels, rules: Rules, rng: np.random.Generator
) -> Correction | None:
    if rules.strokes:
        return next_stroke(truth, mask, rng)
    return next_click(truth, mask, whole=rules.whole)
