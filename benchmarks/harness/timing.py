"""Clocks, thread limits, and methods that take turns so that other load meets all of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Timed(Generic[T]):
    """What a call returned and took."""

    result: T
    seconds: float  # wall time
    processor: float  # seconds of processor time: less than wall time where others use the machine


def timed(call: Callable[[], T]) -> Timed[T]:
    """Call once by both clocks."""
    processor, wall = time.process_time(), time.perf_counter()
    result = call()
    seconds, processor = time.perf_counter() - wall, time.process_time() - processor
    return Timed(result, seconds, processor)


def interleaved(
    calls: Mapping[str, Callable[[], T]], rounds: int, *, warm: bool = False
) -> dict[str, list[Timed[T]]]:
    """Every call in every round, in alternating order.

    Args:
        calls: name -> what is timed.
        rounds: how often each is called.
        warm: whether one round goes before that does not count.
    """
    if warm:
        for call in calls.values():
            call()
    found: dict[str, list[Timed[T]]] = {name: [] for name in calls}
    for number in range(rounds):
        for name in list(calls)[:: 1 if number % 2 == 0 else -1]:
            found[name].append(timed(calls[name]))
    return found


def peak_memory() -> float:
    """The largest resident memory of this process in bytes; NaN where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return float("nan")
    return float(next(row.split()[1] for row in status.splitlines() if "VmHWM" in row)) * 1024


def limit_threads(threads: int) -> None:
    """Limit the libraries that do not read the environment, where they are installed."""
    if find_spec("cv2") is not None:
        import cv2

        cv2.setNumThreads(threads)
    import torch

    torch.set_num_threads(threads)
