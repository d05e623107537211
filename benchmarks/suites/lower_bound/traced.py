"""What the preset ``fast`` does as it is written, stage by stage: calls, traffic, time."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness.datasets import Pair
from saccade.interactive import cues, finish, pipeline, segment
from saccade.interactive.run import Run

REPETITIONS = 3
# Stages within "refine", by the function that does them and the module that calls it.
PARTS = {
    (pipeline, "compute_cues"): "cues",
    (cues, "color_regions"): "color regions",
    (pipeline, "fuse_cues"): "fusion network",
    (finish, "refine_half"): "partition",
    (finish, "refine_working"): "partition",
    (finish, "upsample"): "upsampling",
}


@dataclass(frozen=True)
class Trace:
    """One stage of one fit and prediction."""

    operations: float  # of matrix products and convolutions
    bytes: float  # read and written by PyTorch's calls
    calls: int  # that do work; views do not count
    seconds: float  # of processor time, the least of some, median over the images


class _Clock:
    """Processor seconds by stage; what an inner stage takes counts for that one alone.

    Processor time of one thread, as others may be using the machine.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.stack: list[str] = []
        self._since = time.process_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._count()
        self.stack.append(name)
        try:
            yield
        finally:
            self._count()
            self.stack.pop()

    def _count(self) -> None:
        now = time.process_time()
        if self.stack:
            self.seconds[self.stack[-1]] += now - self._since
        self._since = now


class _Traffic(TorchDispatchMode):
    """Calls and bytes by the clock's stage."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock
        self.calls: dict[str, int] = defaultdict(int)
        self.bytes: dict[str, float] = defaultdict(float)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:  # the interface's names
        result = func(*args, **(kwargs or {}))
        if self._clock.stack and not func.is_view:
            stage = self._clock.stack[-1]
            self.calls[stage] += 1
            self.bytes[stage] += _bytes((args, kwargs, result))
        return result


def trace(pairs: Sequence[Pair]) -> dict[str, Trace]:
    """Stages of the preset ``fast``: the first image is traced, all are timed."""
    segment(pairs[0].image, pairs[0].strokes, device="cpu")  # libraries load
    timed = [_timed(pair) for pair in pairs]
    clock = _Clock()
    traffic, flops = _Traffic(clock), _Operations(clock)
    with _watched(clock), traffic, flops:
        segment(pairs[0].image, pairs[0].strokes, device="cpu")
    return {
        stage: Trace(
            operations=flops.by_stage[stage],
            bytes=traffic.bytes[stage],
            calls=traffic.calls[stage],
            seconds=float(np.median([seconds[stage] for seconds in timed])),
        )
        for stage in timed[0]
    }


def _timed(pair: Pair) -> dict[str, float]:
    """Seconds of each stage, the least of some repetitions: others use the caches too."""
    clocks = [_Clock() for _ in range(REPETITIONS)]
    for clock in clocks:
        with _watched(clock):
            segment(pair.image, pair.strokes, device="cpu")
    return {stage: min(clock.seconds[stage] for clock in clocks) for stage in clocks[0].seconds}


class _Operations(FlopCounterMode):
    """FLOPs of matrix products and convolutions by the clock's stage."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__(display=False)
        self._clock = clock
        self.by_stage: dict[str, float] = defaultdict(float)

    def _count_flops(self, func_packet: Any, out: Any, args: Any, kwargs: Any) -> Any:
        before = self.get_total_flops()
        result = super()._count_flops(func_packet, out, args, kwargs)
        if self._clock.stack:
            self.by_stage[self._clock.stack[-1]] += self.get_total_flops() - before
        return result


@contextmanager
def _watched(clock: _Clock) -> Iterator[None]:
    """Let the segmenter tell the clock where it is."""
    stage = Run.stage

    @contextmanager
    def told(run: Run, name: str, fraction: float) -> Iterator[None]:
        with stage(run, name, fraction), clock.stage(name):
            yield

    def within(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with clock.stage(name):
                return function(*args, **kwargs)

        return call

    with ExitStack() as patches:
        patches.enter_context(patch.object(Run, "stage", told))
        for (module, function), name in PARTS.items():
            timed = within(getattr(module, function), name)
            patches.enter_context(patch.object(module, function, timed))
        yield


def _bytes(values: Any) -> float:
    leaves = torch.utils._pytree.tree_leaves(values)
    return float(sum(v.numel() * v.itemsize for v in leaves if isinstance(v, torch.Tensor)))
