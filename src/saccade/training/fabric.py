"""The process, or the processes under `torchrun`, that train together, and their device."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

import torch

from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.training.config import TrainConfig

T = TypeVar("T")


def launch(config: TrainConfig) -> Any:
    """A Fabric for this process, one of several under `torchrun`.

    Raises:
        InputError: the device is missing, or a batch that the processes cannot share.
    """
    from lightning.fabric import Fabric

    device = pick_device(config.run.device).type
    world, local = (int(os.environ.get(n, "1")) for n in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    parts = world * config.optim.accumulate
    if config.optim.batch % parts:
        raise InputError(
            f"optim: batch {config.optim.batch} cannot be shared by {world} processes with "
            f"{config.optim.accumulate} parts each"
        )
    fabric = Fabric(
        accelerator=device,
        devices=local,
        num_nodes=max(1, world // local),
        strategy="ddp" if world > 1 else "auto",
        precision=config.run.precision,
    )
    fabric.launch()
    return fabric


def close(fabric: Any) -> None:
    """End the group of processes that `launch` began, once all are done.

    A process that exits with the group still up is aborted by its threads, now and then.
    """
    if fabric.world_size > 1 and torch.distributed.is_initialized():
        fabric.barrier()
        torch.distributed.destroy_process_group()


def in_first(fabric: Any, action: Callable[[], T]) -> T:
    """What `action` returns in the first process, in all of them.

    Raises:
        InputError: in all of them, where the first raises it.
    """
    found: Any = None
    if fabric.global_rank == 0:
        try:
            found = action()
        except InputError as error:
            found = error
    if fabric.world_size > 1:
        found = fabric.broadcast(found)
    if isinstance(found, InputError):
        raise found
    result: T = found
    return result


def loss_scaler(fabric: Any) -> Any:
    """What scales the loss in float16; None in other precisions."""
    return getattr(fabric.strategy.precision, "scaler", None)
