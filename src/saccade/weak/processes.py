"""Many images side by side in processes that Ctrl-C ends cleanly."""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from typing import TypeVar

Work = TypeVar("Work")
Found = TypeVar("Found")


def side_by_side(
    function: Callable[[Work], Found], work: Sequence[Work], processes: int
) -> Iterator[Found]:
    """What a function of a module makes of each piece of work, in any order.

    Args:
        function: must not depend on the process that it runs in.
        work: its arguments.
        processes: that work side by side, one thread each; with one, this process does it.
    """
    if processes == 1 or len(work) < 2:
        yield from map(function, work)
        return
    # Spawned: a process forked from one in which PyTorch has threads may hang. Only this one
    # listens to Ctrl-C; leaving the block ends the others.
    with get_context("spawn").Pool(min(processes, len(work)), _begin) as pool:
        yield from pool.imap_unordered(function, work)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Ended by an exception, a process leaves no temporary file behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    import torch

    torch.set_num_threads(1)
