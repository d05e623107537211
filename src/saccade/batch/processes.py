"""Items worked on side by side in processes of this machine, which Ctrl-C ends cleanly.

Each process has a pipe of its own and no lock is shared, so that one that is killed, by the system
when memory runs out for one, cannot keep the others waiting. `multiprocessing.Pool` would wait
for its result for ever.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Generator, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple, TypeVar

from saccade.batch.executors import Failure, InThisProcess, Setup, failure_of
from saccade.errors import InputError

Item = TypeVar("Item", bound=Hashable)
Record = TypeVar("Record")

# Spawned: a process forked from one in which PyTorch has threads may hang.
_CONTEXT = get_context("spawn")

_PATIENCE = 20.0
"""Seconds in which a process must end that was told to; after them it is killed."""


@dataclass(frozen=True)
class LocalProcesses:
    """Works on items side by side, in processes with one thread each.

    Attributes:
        jobs: number of processes; 0 for one per core.
        items_each: items that are worth starting a process; where there are fewer than twice as
            many, they are done in this process.
    """

    jobs: int = 0
    items_each: int = 1

    def run(
        self,
        setup: Setup[Item, Record],
        items: Iterator[Item],
        count: int,
        report: Callable[[Item, float, str], None],
    ) -> Generator[tuple[Item, Record | Failure], None, None]:
        """See `Executor.run`; `report` is not called by other processes."""
        jobs = min(self.jobs or _cores(), count // self.items_each)
        if jobs < 2:
            yield from InThisProcess().run(setup, items, count, report)
        else:
            yield from _side_by_side(pickle.dumps(setup), items, jobs)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Failed(NamedTuple):
    """What a process sends instead of a first result if it cannot make a worker."""

    why: Failure


class _Process(NamedTuple):
    process: SpawnProcess
    pipe: Connection


def _side_by_side(setup: bytes, items: Iterator[Any], jobs: int) -> Iterator[tuple[Any, Any]]:
    running: list[_Process] = []
    working_on: dict[Connection, Any] = {}
    try:
        while True:
            idle = [one for one in running if one.pipe not in working_on]
            # An item is taken only when there is a process for it.
            while len(working_on) < jobs and (item := next(items, _NOTHING)) is not _NOTHING:
                if not idle:
                    running.append(_start(setup))
                    idle.append(running[-1])
                pipe = idle.pop().pipe
                working_on[pipe] = item
                with suppress(OSError):  # it ended: seen when its result is received
                    pipe.send(item)
            if not working_on:
                return
            ready = wait(list(working_on))
            for pipe in [pipe for pipe in working_on if pipe in ready]:
                item, result = working_on.pop(pipe), _received(pipe)
                if result is None:
                    ended = next(one for one in running if one.pipe is pipe)
                    running.remove(ended)
                    result = Failure(_ended(ended))
                yield item, result
    finally:
        _stop(running, busy=working_on.keys())


_NOTHING = object()


def _received(pipe: Connection) -> Any:
    """What a process made of its item; None if the process has ended.

    Raises:
        InputError: it could not begin.
    """
    try:
        result = pipe.recv()
    except (EOFError, OSError):
        return None
    if isinstance(result, _Failed):
        raise result.why.fatal or InputError(result.why.message)
    return result


def _start(setup: bytes) -> _Process:
    here, there = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_work, args=(there, setup), daemon=True)
    with _deaf_to_ctrl_c():
        process.start()
    there.close()
    return _Process(process, here)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started here never see Ctrl-C, from their first moment on; this one does later."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would lift the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ended(one: _Process) -> str:
    """Why there is no result, on one line."""
    one.process.join(_PATIENCE)
    one.pipe.close()
    code = one.process.exitcode
    how = f"by signal {-code}" if code is not None and code < 0 else f"with code {code}"
    return f"the process that worked on it ended {how}; is there enough memory?"


def _stop(running: list[_Process], busy: Any) -> None:
    """End all processes: idle ones when their pipe is closed, busy ones in the midst of it."""
    for one in running:
        if one.pipe in busy:
            one.process.terminate()
    for one in running:
        one.pipe.close()
    for one in running:
        one.process.join(_PATIENCE)
        if one.process.is_alive():
            one.process.kill()
            one.process.join()


def _work(pipe: Connection, setup: bytes) -> None:
    """What a process does: items, one after another, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Ended by an exception, it leaves no temporary file behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        try:
            work = _with_one_thread(setup)
        except Exception as error:
            pipe.send(_Failed(failure_of(error)))
            return
        while True:
            item = pipe.recv()
            try:
                result = work(item, lambda fraction, stage: None)
            except Exception as error:
                result = failure_of(error)
            pipe.send(result)


def _with_one_thread(setup: bytes) -> Any:
    """Make the worker, with PyTorch and NumPy at one thread."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for libraries that are loaded from here on
    worker = pickle.loads(setup)()
    if (torch := sys.modules.get("torch")) is not None:  # loaded before, with the main module
        torch.set_num_threads(1)
    return worker
