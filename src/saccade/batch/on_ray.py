"""Items worked on by actors of Ray Data, on this machine or on a cluster.

Ray places the actors, hands out the items, and starts an actor again that was lost. What is here
says what an item is, and what becomes of those whose actor was lost.
"""

import logging
import os
import pickle
import socket
import sys
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar

from saccade.batch.executors import Failure, Setup, failure_of
from saccade.errors import InputError

Item = TypeVar("Item", bound=Hashable)
Record = TypeVar("Record")

_TOGETHER = 64
"""Items at most in what Ray hands to an actor at once: each such block takes memory and time of the
process that hands them out."""

_BLOCKS = 16
"""Blocks for an actor at least, where there are items enough: the last ones end together."""

_LOST = "the actor that worked on it was lost; is there enough memory?"


@dataclass(frozen=True)
class OnRay:
    """Works on items side by side, in actors of Ray with one core and one thread each.

    The items, the setup and the records travel; what a worker reads and writes has to be where
    all machines see it under the same path.

    Attributes:
        actors: how many; 0 for one per core.
        address: of a cluster, such as ``"auto"`` or ``"ray://HOST:10001"``; empty starts Ray on
            this machine, and ends it afterwards.
    """

    actors: int = 0
    address: str = ""

    def run(
        self,
        setup: Setup[Item, Record],
        items: Iterator[Item],
        count: int,
        report: Callable[[Item, float, str], None],
    ) -> Generator[tuple[Item, Record | Failure], None, None]:
        """See `Executor.run`; `report` is not called, and all items are taken before work begins.

        An item whose actor is lost is tried once more, apart from others; then it has failed.

        Raises:
            InputError: Ray is not installed, the cluster is not there, or what `setup` raises.
        """
        left = dict(enumerate(items))
        made = pickle.dumps(setup)
        with _connected(self.address, self.actors) as actors:
            for together in (min(_TOGETHER, -(-len(left) // (_BLOCKS * actors))), 1):
                if not left:
                    return
                for number, result in _round(left, made, min(actors, len(left)), together):
                    if isinstance(result, _Failed):
                        raise result.why.fatal or InputError(result.why.message)
                    yield left.pop(number), result
            for item in left.values():
                yield item, Failure(_LOST)


class _Failed(NamedTuple):
    """What an actor answers that cannot make a worker."""

    why: Failure


def _round(
    left: dict[int, Any], setup: bytes, actors: int, together: int
) -> Iterator[tuple[int, Any]]:
    """Each item's number with its result; those of lost actors are missing."""
    import ray

    rows = [{"number": number, "item": pickle.dumps(item)} for number, item in left.items()]
    data = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // together))
    done = data.map_batches(
        type("Worker", (_Actor,), {"setup": setup}),  # as an argument it might be lost, Ray warns
        batch_size=None,  # a block at once; cut into single items it takes thrice as long
        compute=ray.data.ActorPoolStrategy(
            size=actors,
            # What waits for an actor is lost with it, so single items do not.
            max_tasks_in_flight_per_actor=1 if together == 1 else None,
        ),
        num_cpus=1,
        ray_remote_args_fn=_when_lost,
    )
    for row in done.iter_rows():
        yield int(row["number"]), pickle.loads(row["result"])


def _when_lost() -> dict[str, int]:
    """A lost actor is started again; what it was at is not, it may be what killed it."""
    return {"max_restarts": -1, "max_task_retries": 0}


class _Actor:
    """Makes its worker once, and does one item after another."""

    setup = b""

    def __init__(self) -> None:
        self.work: Any = None
        self.failed: _Failed | None = None
        try:
            self.work = pickle.loads(self.setup)()
        except Exception as error:
            self.failed = _Failed(failure_of(error))
        if (torch := sys.modules.get("torch")) is not None:
            torch.set_num_threads(1)

    def __call__(self, batch: dict[str, Sequence[Any]]) -> dict[str, list[Any]]:
        results = [self._done(pickle.loads(item)) for item in batch["item"]]
        return {
            "number": list(batch["number"]),
            "result": [pickle.dumps(result) for result in results],
        }

    def _done(self, item: Any) -> Any:
        if self.failed is not None:
            return self.failed
        try:
            return self.work(item, lambda fraction, stage: None)
        except Exception as error:
            return failure_of(error)


@contextmanager
def _connected(address: str, actors: int) -> Iterator[int]:
    """Ray, started or reached; the number of actors that fit."""
    if find_spec("ray") is None:
        raise InputError("ray is not installed; pip install 'saccade[ray]' brings it")
    _check_reachable(address)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    here = {} if address else _on_this_machine(actors)
    try:
        ray.init(
            address or "local",
            log_to_driver=False,
            logging_level=logging.CRITICAL,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}},
            **here,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        why = str(error).strip().partition("\n")[0]
        raise InputError(f"no Ray at {address or 'this machine'}: {why}") from error
    try:
        _settle(ray.data)
        cores = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        # One core is left for what hands out the items.
        yield max(1, min(actors or cores - 1, cores - 1))
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Ask for the port first: where nobody listens Ray waits for minutes, then ends the program."""
    place = address.removeprefix("ray://")
    host, _, port = place.rpartition(":")
    if place in ("", "auto", "local"):
        return
    if not host or not port.isdecimal():
        raise InputError(f"address is {address!r}, must be HOST:PORT, ray://HOST:PORT or auto")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"no Ray at {address}: {error}") from error


_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def _on_this_machine(actors: int) -> dict[str, Any]:
    cores = os.cpu_count() or 1
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    return {"num_cpus": (actors or cores) + 1, "include_dashboard": False}


def _settle(data: Any) -> None:
    """No progress bars and logs of its own; errors of single blocks do not end the whole."""
    for name in ("ray", "ray.data"):  # they tell in a hundred lines what `Failure` says in one
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    context.log_internal_stack_trace_to_stdout = False
