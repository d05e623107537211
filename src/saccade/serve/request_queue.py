"""The queue of requests for masks: one place for each session, newest request only."""

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from saccade.errors import InputError
from saccade.serve.errors import QueueFullError, ServeError, SupersededError

T = TypeVar("T")


@dataclass
class QueuedRequest(Generic[T]):
    """Work of a session, and when it was queued and started, in seconds of a monotonic clock.

    `cancelled` is set once nobody wants its result any more.
    """

    work: "Callable[[threading.Event], T]"
    result: "asyncio.Future[T]"
    cancelled: threading.Event = field(default_factory=threading.Event)
    queued: float = field(default_factory=time.monotonic)
    started: float | None = None


class RequestQueue:
    """Hands requests to worker threads. All methods belong to the event loop's thread.

    A session has at most one request running and one waiting. A newer request takes the place
    that the older one had in the queue and tells a running one to stop, so that somebody who
    draws fast neither waits behind their own older strokes nor holds up anybody else.

    Args:
        workers: requests that run at once.
        places: sessions that may wait.

    Attributes:
        on_end: told of each request that has left the queue, how: done, superseded, refused or
            failed; the seconds that it waited, and those that it worked, None if it never did.
    """

    def __init__(self, workers: int, places: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="segment")
        self._free_workers = workers
        self._places = places
        self._waiting: OrderedDict[str, QueuedRequest[object]] = OrderedDict()
        self._running: dict[str, QueuedRequest[object]] = {}
        self.on_end: Callable[[str, float, float | None], None] = lambda how, waited, worked: None

    def submit(self, key: str, work: Callable[[threading.Event], T]) -> "asyncio.Future[T]":
        """Queue work of the session ``key``.

        Returns:
            A future of its result; `SupersededError` where a newer request replaced it.

        Raises:
            QueueFullError: too many sessions wait.
        """
        if key not in self._waiting and len(self._waiting) >= self._places:
            raise QueueFullError("too many fits are waiting; try again in a moment")
        request: QueuedRequest[T] = QueuedRequest(work, asyncio.get_running_loop().create_future())
        # Nobody may be waiting for the answer any more when it comes.
        request.result.add_done_callback(lambda future: future.cancelled() or future.exception())
        if (older := self._waiting.get(key)) is not None:
            self._supersede(older)
        if (running := self._running.get(key)) is not None:
            running.cancelled.set()
        self._waiting[key] = request  # type: ignore[assignment]
        self._start_waiting()
        return request.result

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs or waits."""
        return not self._running and not self._waiting

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Requests that run."""
        return len(self._running)

    @property
    def has_room(self) -> bool:
        """Whether another session may wait."""
        return len(self._waiting) < self._places

    def position(self, key: str) -> int:
        """The place of the session's request in the queue from 1 on, 0 where it does not wait."""
        if key not in self._waiting:
            return 0
        return list(self._waiting).index(key) + 1

    def is_busy(self, key: str) -> bool:
        """Whether the session has a request running or waiting."""
        return key in self._waiting or key in self._running

    def cancel(self, key: str) -> None:
        """Forget what waits for the session and tell what runs to stop."""
        if (waiting := self._waiting.pop(key, None)) is not None:
            self._supersede(waiting)
        if (running := self._running.get(key)) is not None:
            running.cancelled.set()

    async def close(self) -> None:
        """Stop everything; returns when the workers have."""
        for key in [*self._waiting, *self._running]:
            self.cancel(key)
        await asyncio.to_thread(self._pool.shutdown)

    def _start_waiting(self) -> None:
        for key in list(self._waiting):
            if self._free_workers == 0:
                return
            if key in self._running:
                continue
            request = self._waiting.pop(key)
            self._free_workers -= 1
            self._running[key] = request
            request.started = time.monotonic()
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._pool, request.work, request.cancelled)
            future.add_done_callback(partial(self._finish, key, request))

    def _finish(
        self, key: str, request: QueuedRequest[object], future: "asyncio.Future[object]"
    ) -> None:
        self._free_workers += 1
        self._running.pop(key, None)
        self._tell(request, _outcome(future.exception()))
        if not request.result.done():
            if (error := future.exception()) is not None:
                request.result.set_exception(error)
            else:
                request.result.set_result(future.result())
        self._start_waiting()

    def _supersede(self, request: QueuedRequest[object]) -> None:
        request.cancelled.set()
        self._tell(request, "superseded")
        if not request.result.done():
            request.result.set_exception(SupersededError())

    def _tell(self, request: QueuedRequest[object], how: str) -> None:
        now, started = time.monotonic(), request.started
        waited = (now if started is None else started) - request.queued
        self.on_end(how, waited, None if started is None else now - started)


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "done"
    if isinstance(error, SupersededError):
        return "superseded"
    return "refused" if isinstance(error, ServeError | InputError) else "failed"
