"""Ctrl-C and SIGTERM as a wish to stop after the step that is being done."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def stop_on_signal() -> Iterator[list[int]]:
    """A list that fills when SIGINT or SIGTERM arrives; a second SIGINT ends at once."""
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        if seen and number == signal.SIGINT:
            raise KeyboardInterrupt
        seen.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        before = {number: signal.signal(number, note) for number in numbers}
    except ValueError:  # not in the main thread: signals are somebody else's
        before = {}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Processes that are started inside never see Ctrl-C; this one sees it at the end.

    They would print a traceback each, where the one that they work for stops in good order.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # it unblocks the signal, and is needed by all others
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def next_unless_stopped(batches: Iterator[T], stopped: list[int]) -> T | None:
    """The next batch; None where Ctrl-C, which a terminal sends to all, ended who was to read it.

    Args:
        batches: of `saccade.training.samples.load_batches`.
        stopped: of `stop_on_signal`.
    """
    try:
        return next(batches)
    except (RuntimeError, OSError, EOFError):  # PyTorch's ways of missing a process
        if stopped:
            return None
        raise
