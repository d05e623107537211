"""Who computes when: a few workers, one place in the queue for each session, newest work only."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class QueueFullError(Exception):
    """More sessions wait than the queue has places."""


class SupersededError(Exception):
    """Newer work of the same session took the place of this, or the session is closed."""


@dataclass
class Job(Generic[T]):
    """Work of a session. `cancelled` is set once nobody wants its result any more."""

    work: "Callable[[threading.Event], T]"
    done: "asyncio.Future[T]"
    cancelled: threading.Event = field(default_factory=threading.Event)


class Scheduler:
    """Runs jobs on worker threads. All methods belong to the event loop's thread.

    A session has at most one job running and one waiting. A newer job takes the place that the
    older one had in the queue and tells a running one to stop, so that somebody who draws fast
    neither waits behind what they have overtaken nor holds up anybody else.
    """

    def __init__(self, workers: int, places: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="fit")
        self._free = workers
        self._places = places
        self._waiting: OrderedDict[str, Job[object]] = OrderedDict()
        self._running: dict[str, Job[object]] = {}

    def submit(self, key: str, work: Callable[[threading.Event], T]) -> "asyncio.Future[T]":
        """Queue work of the session ``key``.

        Returns:
            A future of its result; `SupersededError` where newer work replaced it.

        Raises:
            QueueFullError: too many sessions wait.
        """
        if key not in self._waiting and len(self._waiting) >= self._places:
            raise QueueFullError
        job: Job[T] = Job(work, asyncio.get_running_loop().create_future())
        # Nobody may be waiting for the answer any more when it comes.
        job.done.add_done_callback(lambda future: future.cancelled() or future.exception())
        if (older := self._waiting.get(key)) is not None:
            _supersede(older)
        if (running := self._running.get(key)) is not None:
            running.cancelled.set()
        self._waiting[key] = job  # type: ignore[assignment]
        self._start()
        return job.done

    def ahead(self, key: str) -> int:
        """How many jobs will start before that of the session, 0 where it runs."""
        if key not in self._waiting:
            return 0
        return list(self._waiting).index(key) + 1

    def busy(self, key: str) -> bool:
        """Whether the session has work running or waiting."""
        return key in self._waiting or key in self._running

    def cancel(self, key: str) -> None:
        """Forget what waits for the session and tell what runs to stop."""
        if (waiting := self._waiting.pop(key, None)) is not None:
            _supersede(waiting)
        if (running := self._running.get(key)) is not None:
            running.cancelled.set()

    async def close(self) -> None:
        """Stop everything; returns when the workers have."""
        for key in [*self._waiting, *self._running]:
            self.cancel(key)
        await asyncio.to_thread(self._pool.shutdown)

    def _start(self) -> None:
        for key in list(self._waiting):
            if self._free == 0:
                return
            if key in self._running:
                continue
            job = self._waiting.pop(key)
            self._free -= 1
            self._running[key] = job
            future = asyncio.get_running_loop().run_in_executor(self._pool, job.work, job.cancelled)
            future.add_done_callback(partial(self._finish, key, job))

    def _finish(self, key: str, job: Job[object], future: "asyncio.Future[object]") -> None:
        self._free += 1
        self._running.pop(key, None)
        if not job.done.done():
            if (error := future.exception()) is not None:
                job.done.set_exception(error)
            else:
                job.done.set_result(future.result())
        self._start()


def _supersede(job: Job[object]) -> None:
    job.cancelled.set()
    if not job.done.done():
        job.done.set_exception(SupersededError())
