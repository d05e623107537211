"""Medians over the rounds, beside conv2d and torchvision's deformable convolution."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.harness.text_table import aligned, number
from benchmarks.suites.sampled_conv.measure import Record
from benchmarks.suites.sampled_conv.operators import CONV, DEFORM


@dataclass(frozen=True)
class Row:
    """One operator over all rounds."""

    device: str
    dtype: str
    layout: str
    operator: str
    part: str
    milliseconds: float  # median
    to_conv: float  # times the time of conv2d
    faster_than_deform: float
    memory: float


def summarize(records: Sequence[Record]) -> list[Row]:
    """Medians over the rounds, in the order of the records."""
    times: dict[tuple[str, ...], dict[int, float]] = {}
    memory: dict[tuple[str, ...], float] = {}
    for record in records:
        key = (record.device, record.dtype, record.layout, record.operator, record.part)
        times.setdefault(key, {})[record.round] = record.milliseconds
        memory[key] = record.memory
    rows = []
    for key, own in times.items():
        device, dtype, layout, _, part = key
        conv = times.get((device, dtype, layout, CONV, part), {})
        deform = times.get((device, dtype, layout, DEFORM, part), {})
        rows.append(
            Row(
                *key,
                milliseconds=float(np.median(list(own.values()))),
                to_conv=_ratio(own, conv),
                faster_than_deform=_ratio(deform, own),
                memory=memory[key],
            )
        )
    return rows


def _ratio(times: Mapping[int, float], others: Mapping[int, float]) -> float:
    """Median of the rounds' ratios; NaN without a round of both."""
    ratios = [time / others[turn] for turn, time in times.items() if turn in others]
    return float(np.median(ratios)) if ratios else math.nan


def table(rows: Sequence[Row]) -> str:
    """The aligned table."""
    head = ["device", "dtype", "layout", "operator", "part", "ms", "x conv2d", "x faster", "memory"]
    body = [
        [
            *(row.device, row.dtype, row.layout, row.operator, row.part),
            *(number(row.milliseconds, ".3g"), number(row.to_conv, ".2f")),
            *(number(row.faster_than_deform, ".1f"), number(row.memory, ".2f")),
        ]
        for row in sorted(rows, key=lambda row: (row.device, row.dtype, row.layout, row.part))
    ]
    note = (
        "x conv2d: times its time; x faster: than torchvision's deform_conv2d; memory: peak over "
        "input + output"
    )
    return aligned(head, body, left=5) + "\n" + note
