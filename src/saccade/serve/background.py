"""What runs beside the event loop: calls on threads, and tasks that nobody waits for."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec, TypeVar

import anyio
import anyio.to_thread

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 4
_SLOW_THREADS = 2


class Background:
    """Threads for what takes time, and the tasks that were started. Belongs to the event loop."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._threads = anyio.CapacityLimiter(_THREADS)
        self._slow_threads = anyio.CapacityLimiter(_SLOW_THREADS)

    async def in_slow_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`in_thread` for what may take seconds, so that it does not hold up what takes none."""
        return await anyio.to_thread.run_sync(
            partial(work, *args, **kwargs), limiter=self._slow_threads
        )

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call on a thread, a few at once; it is waited for even if cancelled."""
        call = partial(work, *args, **kwargs)
        return await anyio.to_thread.run_sync(call, limiter=self._threads)

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Start a task that nobody waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)  # or it might be collected before it has run
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """Return when all tasks have ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
