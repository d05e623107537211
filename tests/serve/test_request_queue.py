"""The queue of requests: newest only, one place each, nobody starves."""

import asyncio
import threading

import pytest

from saccade.errors import InputError
from saccade.serve.errors import QueueFullError, SupersededError
from saccade.serve.request_queue import RequestQueue


def run(scenario, workers=1, places=8):
    async def main():
        queue = RequestQueue(workers, places)
        try:
            return await asyncio.wait_for(scenario(queue), 20)
        finally:
            await queue.close()

    return asyncio.run(main())


class Work:
    """Work that waits until it is let go and notes when it ran."""

    def __init__(self, name, log, gate=None):
        self.name, self.log, self.gate = name, log, gate
        self.cancelled = False

    def __call__(self, cancelled):
        self.log.append(self.name)
        if self.gate is not None:
            while not self.gate.wait(0.005):
                if cancelled.is_set():
                    self.cancelled = True
                    raise SupersededError
        return self.name


def test_newer_work_takes_the_place_of_older_and_stops_what_runs():
    async def scenario(queue):
        log, gate = [], threading.Event()
        running = Work("a1", log, gate)
        first = queue.submit("a", running)
        await asyncio.sleep(0.05)
        others = [queue.submit("b", Work("b1", log)), queue.submit("a", Work("a2", log))]
        newest = queue.submit("a", Work("a3", log))
        with pytest.raises(SupersededError):
            await first
        with pytest.raises(SupersededError):
            await others[1]
        assert await newest == "a3"
        assert await others[0] == "b1"
        return log, running.cancelled

    log, cancelled = run(scenario)
    assert cancelled
    assert log == ["a1", "b1", "a3"]  # b waited before a's newer strokes came


def test_somebody_who_draws_all_the_time_holds_nobody_up():
    async def scenario(queue):
        log = []
        busy = [queue.submit("busy", Work("busy", log))]
        calm = queue.submit("calm", Work("calm", log))
        for _ in range(20):
            busy.append(queue.submit("busy", Work("busy", log)))
        await calm
        await asyncio.gather(*busy, return_exceptions=True)
        return log

    log = run(scenario)
    assert "calm" in log[:2]
    assert log.count("busy") <= 3


def test_a_session_never_runs_twice_at_once():
    async def scenario(queue):
        running, most = 0, 0
        lock = threading.Lock()

        def work(_):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.02)
            with lock:
                running -= 1

        jobs = [queue.submit("a", work) for _ in range(6)]
        await asyncio.gather(*jobs, return_exceptions=True)
        return most

    assert run(scenario, workers=4) == 1


def test_a_full_queue_says_so():
    async def scenario(queue):
        gate = threading.Event()
        queue.submit("a", Work("a", [], gate))
        queue.submit("b", Work("b", []))
        queue.submit("c", Work("c", []))
        with pytest.raises(QueueFullError):
            queue.submit("d", Work("d", []))
        queue.submit("c", Work("c2", []))  # it has a place already
        assert queue.position("c") == 2
        gate.set()

    run(scenario, places=2)


def test_what_goes_wrong_reaches_whoever_waits():
    async def scenario(queue):
        def broken(_):
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await queue.submit("a", broken)
        return await queue.submit("a", lambda _: 3)

    assert run(scenario) == 3


def test_the_end_of_each_request_is_told():
    def wrong(cancelled):
        raise InputError("a: too large")

    def broken(cancelled):
        raise ZeroDivisionError

    async def scenario(queue):
        told, gate = [], threading.Event()
        queue.on_end = lambda how, waited, worked: told.append((how, waited, worked))
        first = queue.submit("a", Work("a1", [], gate))
        older = queue.submit("b", Work("b1", []))
        await asyncio.sleep(0.05)
        assert (queue.running, queue.waiting, queue.has_room) == (1, 1, True)
        futures = [queue.submit(key, work) for key, work in (("b", wrong), ("c", broken))]
        gate.set()
        await asyncio.gather(first, older, *futures, return_exceptions=True)
        return told

    told = run(scenario)
    assert [how for how, _, _ in told] == ["superseded", "done", "refused", "failed"]
    assert told[0][2] is None  # it never ran
    assert all(waited >= 0 for _, waited, _ in told)
    assert told[1][2] >= 0.05
