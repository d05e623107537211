"""Where the items of a batch are worked on: --engine, --address and what they choose."""

from pathlib import Path
from typing import Annotated

import typer

from saccade.batch import Executor, LocalProcesses, OnRay
from saccade.cli.options import one_of
from saccade.errors import InputError
from saccade.stores import is_in_memory

ENGINES = ("local", "ray")

Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="|".join(ENGINES),
        callback=lambda text: one_of(ENGINES, text),
        help="Where to work: local, processes of this machine; ray, actors of Ray. Results, and "
        "what is skipped as done, are the same.",
    ),
]
Address = Annotated[
    str,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="With --engine ray: the cluster, auto for the one of this machine; without it Ray is "
        "started here. All its machines must see the folders under the same paths.",
    ),
]


def executor_of(
    engine: str, address: str, jobs: int, *places: Path | None, items_each: int = 1
) -> Executor:
    """What does the work.

    Args:
        engine: one of `ENGINES`.
        address: of a cluster of Ray, or empty.
        jobs: how many work side by side, 0 for one per core.
        places: where inputs lie and results are put.
        items_each: see `LocalProcesses`.

    Raises:
        InputError: an address without the engine that it is for, or files in the memory of this
            process, which others would need.
    """
    for place in places if engine == "ray" or jobs != 1 else ():
        if place is not None and is_in_memory(place):
            raise InputError(
                f"{place}: is the memory of one process, and several would work; expected --jobs "
                "1, or a store that all of them reach"
            )
    if engine == "ray":
        return OnRay(jobs, address)
    if address:
        raise InputError("--address is of --engine ray; say that too, or leave it out")
    return LocalProcesses(jobs, items_each)
