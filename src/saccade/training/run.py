"""What a training run is set up from: processes, data, network, optimizer, and an older state."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from saccade.data.check import Findings, inspect, require_sound
from saccade.data.sets import LabeledSet, open_set
from saccade.data.specs import class_difference
from saccade.errors import InputError
from saccade.evaluation.inference import Protocol
from saccade.files import atomic_write, remove_parts
from saccade.models.checkpoint import load_checkpoint
from saccade.models.pretrained import load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.training.config import DataConfig, TrainConfig
from saccade.training.log import Log
from saccade.training.losses import class_weights
from saccade.training.optimizer import make_optimizer
from saccade.training.samples import Examples, Order, mix_seeds
from saccade.training.state import IMAGES, State, first_difference, load_state
from saccade.training.supervision import SupervisionConfig, supervised_by

Report = Callable[[float, float, str], None]
"""Told how much of how much is done, and what is being done."""


@dataclass
class Run:
    """What the steps of a run share."""

    config: TrainConfig
    folder: Path
    fabric: Any
    net: nn.Module
    plain: SegmentationNet
    optimizer: Any
    train: LabeledSet
    val: LabeledSet | None
    weight: Tensor | None
    state: State
    log: Log
    report: Report
    protocol: Protocol

    @property
    def averaged(self) -> dict[str, Tensor]:
        """The weights that are evaluated and saved."""
        return self.state.ema or self.plain.state_dict()


def open_sets(
    data: DataConfig, supervision: SupervisionConfig | None = None
) -> tuple[LabeledSet, LabeledSet | None]:
    """The training split, with other masks where these are asked for, and the validation split.

    Raises:
        InputError: as `open_set` and `supervised_by`.
    """
    sets = [
        open_set(data.layout, Path(data.root), split) if split else None
        for split in (data.train, data.val)
    ]
    thinned = [s and replace(s, examples=s.examples[:: data.every]) if s else None for s in sets]
    if thinned[0] is None:
        raise InputError("data: train is empty, name a split")
    return supervised_by(thinned[0], supervision or SupervisionConfig()), thinned[1]


def launch(config: TrainConfig) -> Any:
    """A Fabric for this process, one of several under `torchrun`.

    Raises:
        InputError: CUDA is asked for and missing, or a batch that the processes cannot share.
    """
    from lightning.fabric import Fabric

    device = config.run.device
    check_device(device)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
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


def check_device(device: str) -> None:
    """Raise InputError where CUDA is asked for and missing."""
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("run: device is 'cuda', but PyTorch sees no CUDA device here")


def check_start(config: TrainConfig, names: tuple[str, ...]) -> None:
    """Load what a run starts from into a network that is thrown away.

    For those who have hours of work to do before the run.

    Args:
        config: of the run.
        names: of the classes.

    Raises:
        InputError: the device is missing, or weights are missing, damaged or of another network.
    """
    check_device(config.run.device)
    with torch.random.fork_rng(devices=[]):
        net = SegmentationNet(replace(config.network, classes=len(names)))
    if config.weights != "none":
        noise = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
        load_backbone(net, config.network.backbone, config.weights, images=lambda: noise)
    if config.start:
        _start_from(net, config, names)


def close(fabric: Any) -> None:
    """End the group of processes that `launch` began, once all are done.

    A process that exits with the group still up is aborted by its threads, now and then.
    """
    if fabric.world_size > 1 and torch.distributed.is_initialized():
        fabric.barrier()
        torch.distributed.destroy_process_group()


def check_batch(config: TrainConfig, training: LabeledSet) -> None:
    """Raise InputError for a batch that these images and this network cannot be trained in."""
    optim, count = config.optim, len(training.examples)
    if optim.batch > count:
        raise InputError(f"optim: batch is {optim.batch}, but there are {count} training images")
    pooled = config.network.network == "dsnet" or (
        config.network.network == "deeplab" and config.network.pyramid != "none"
    )
    parts = int(os.environ.get("WORLD_SIZE", "1")) * optim.accumulate
    if pooled and optim.batch // parts < 2:
        raise InputError(
            f"optim: batch {optim.batch} in {parts} parts leaves one image in each; image pooling "
            "is normalised over the images of a part, which must be at least 2"
        )


def check_sets(training: LabeledSet, val: LabeledSet | None, report: Report) -> Findings:
    """Every file is read once before the first step, so that a bad one is not found at night."""
    count = len(training.examples) + (len(val.examples) if val else 0)

    def told(first: int) -> Callable[[int, int], None]:
        return lambda done, _: report(first + done, count, "checking images and masks")

    findings = inspect(training, told(0))
    require_sound(findings)
    if val is not None:
        require_sound(inspect(val, told(len(training.examples))))
    return findings


def prepare(
    config: TrainConfig,
    folder: Path,
    fabric: Any,
    sets: tuple[LabeledSet, LabeledSet | None],
    findings: Findings,
    protocol: Protocol | None,
    report: Report,
) -> Run:
    """Build or restore all that the steps need; FOLDER is made when nothing can go wrong."""
    training, val = sets
    if config.run.deterministic:
        torch.use_deterministic_algorithms(True, warn_only=True)
    state = _restored(folder, settings_of(config, training), fabric)
    torch.manual_seed(mix_seeds(config.run.seed, 0))
    plain = SegmentationNet(replace(config.network, seed=mix_seeds(config.run.seed, 3)))
    if config.weights != "none" and state is None:
        some = Examples(training, config.augmentation, config.run.seed)
        load_backbone(
            plain, config.network.backbone, config.weights, images=lambda: _images(some, 64)
        )
    net: nn.Module = plain
    if config.run.sync_norm and fabric.world_size > 1 and fabric.device.type == "cuda":
        net = nn.SyncBatchNorm.convert_sync_batchnorm(plain)  # type: ignore[no-untyped-call]
    if config.start and state is None:
        _start_from(plain, config, training.spec.names)
    if state is not None:
        plain.load_state_dict(state.weights)
    # On CPUs too convolutions are 1.2 to 1.6 times as fast in this layout.
    net.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer: Any = make_optimizer(plain, config.optim)
    net, optimizer = fabric.setup(net, optimizer)
    if state is not None:
        optimizer.load_state_dict(state.optimizer)
        scaler = loss_scaler(fabric)
        if scaler is not None:
            scaler.load_state_dict(state.scaler)
    else:
        ema = plain.state_dict() if config.optim.ema else {}
        copies = {name: value.clone() for name, value in ema.items()}
        state = State(0, {}, {}, copies, {}, -1.0, [])
    weight = class_weights(findings.pixels, config.optim.class_weights)
    leader = fabric.global_rank == 0
    if leader:
        folder.mkdir(parents=True, exist_ok=True)
        remove_parts(folder)
        with atomic_write(folder / "config.json") as path:
            path.write_text(json.dumps(config.to_dict(), indent=2) + "\n")
    return Run(
        config,
        folder,
        fabric,
        net,
        plain,
        optimizer,
        training,
        val,
        None if weight is None else weight.to(fabric.device),
        _moved(state, fabric.device),
        Log(folder, on=leader),
        report,
        protocol or Protocol(),
    )


def settings_of(config: TrainConfig, training: LabeledSet) -> dict[str, Any]:
    """What is kept beside a state: the settings, and which images it is about."""
    names = "\n".join(example.name for example in training.examples)
    images = [len(training.examples), hashlib.sha256(names.encode()).hexdigest()]
    return {**config.to_dict(), IMAGES: images}


def _restored(folder: Path, settings: dict[str, Any], fabric: Any) -> State | None:
    """The state in the folder of the first process, in all of them.

    Machines need no folder in common: were each to look into its own, those without a state would
    begin anew beside one that goes on.
    """
    found: State | InputError | None = None
    if fabric.global_rank == 0:
        try:
            found = load_state(folder, settings)
        except InputError as error:
            found = error
    if fabric.world_size > 1:
        found = fabric.broadcast(found)
    if isinstance(found, InputError):
        raise found
    return found


def loss_scaler(fabric: Any) -> Any:
    """What scales the loss in float16; None in other precisions."""
    return getattr(fabric.strategy.precision, "scaler", None)


def _start_from(net: SegmentationNet, config: TrainConfig, names: tuple[str, ...]) -> None:
    found = load_checkpoint(config.start)
    other = class_difference(found.spec.names, names, "the data")
    if other:
        raise InputError(f"{config.start}: {other}")
    network = replace(config.network, classes=len(names))
    ours, theirs = (_shape_of(n) for n in (network, found.net.config))
    differing = first_difference(theirs, ours)
    if differing:
        raise InputError(f"{config.start}: its network has another {differing}")
    net.load_state_dict(found.net.state_dict())


def _shape_of(network: SegmentationConfig) -> dict[str, Any]:
    """What must agree for weights to fit and mean the same: all but seed and dropout."""
    return replace(network, seed=0, dropout=0.0).to_dict()


def _moved(state: State, device: torch.device) -> State:
    state.ema = {name: value.to(device) for name, value in state.ema.items()}
    return state


def _images(examples: Examples, count: int) -> Tensor:
    chosen = np.linspace(0, len(examples.found.examples) - 1, count).astype(int)
    return torch.stack([examples[0, int(i)][0] for i in chosen]).float() / 255


def order_of(run: Run) -> Order:
    """What this process trains on, from the state's step on."""
    optim, fabric = run.config.optim, run.fabric
    first = fabric.global_rank * optim.accumulate
    return Order(
        len(run.train.examples),
        optim.batch,
        optim.epochs,
        parts=fabric.world_size * optim.accumulate,
        mine=tuple(range(first, first + optim.accumulate)),
        seed=run.config.run.seed,
        start=run.state.step,
    )
