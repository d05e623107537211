"""A training run as its steps find it: network, optimizer, and the state to go on from."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from saccade.data.check import Findings
from saccade.data.sets import LabeledSet
from saccade.evaluation.inference import Protocol
from saccade.files import atomic_write, reading, remove_parts
from saccade.models.pretrained import load_backbone
from saccade.models.segmentation import SegmentationNet
from saccade.strict_json import json_text
from saccade.training.config import TrainConfig
from saccade.training.fabric import in_first, loss_scaler
from saccade.training.frozen import MapMemory, freeze
from saccade.training.inputs import Report
from saccade.training.log import Log
from saccade.training.losses import class_weights
from saccade.training.optimizer import make_optimizer, rate_factor
from saccade.training.samples import Examples, Order, mix_seeds
from saccade.training.start import check_start, start_from
from saccade.training.state import (
    CLASSES,
    IMAGES,
    MASKS,
    STATE,
    State,
    load_state,
)
from saccade.training.supervised_data import AllowedClasses


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
    settings: dict[str, Any]

    @property
    def averaged(self) -> dict[str, Tensor]:
        """The weights that are evaluated and saved."""
        return self.state.ema or self.plain.state_dict()


def check_begin(config: TrainConfig, folder: Path, training: LabeledSet) -> tuple[str, ...]:
    """What can be wrong beside images and masks, before all of these are decoded.

    Returns:
        Lines on what somebody should know.

    Raises:
        InputError: what `check_start` raises for a new run; another run in FOLDER; image labels
            that cannot be used.
    """
    settings = settings_of(config, training)
    state = load_state(folder, settings, newer=(IMAGES, CLASSES), later=(MASKS,), may_grow=True)
    if state is None:
        remarks = check_start(config, training.spec.names)
    else:
        remarks = _on_length(state, config, len(training.examples))
    return (*remarks, *AllowedClasses(training, config.supervision).remarks)


def _on_length(state: State, config: TrainConfig, images: int) -> tuple[str, ...]:
    """What it means for the learning rate that a run goes on for longer than it was planned."""
    optim = config.optim
    if not state.longer or state.longer[-1][0] != state.step:
        return ()
    per_epoch = images // optim.batch
    planned = replace(optim, epochs=state.longer[-1][1])
    last, now = (
        optim.lr * rate_factor(o, step, per_epoch * o.epochs)
        for o, step in ((planned, max(0, state.step - 1)), (optim, state.step))
    )
    return (
        f"planned for {planned.epochs} epochs, the run goes on to {optim.epochs}, from here on "
        f"with their schedule: the learning rate was {last:.2g} and is {now:.2g}; the weights "
        f"will not be those of {optim.epochs} epochs from the start",
    )


def prepare(
    config: TrainConfig,
    folder: Path,
    fabric: Any,
    sets: tuple[LabeledSet, LabeledSet | None],
    findings: Findings,
    protocol: Protocol | None,
    report: Report,
    memory: MapMemory | None = None,
) -> Run:
    """Build or restore all that the steps need; FOLDER is made when nothing can go wrong."""
    training, val = sets
    if config.run.deterministic:
        torch.use_deterministic_algorithms(True, warn_only=True)
    settings = settings_of(config, training, findings)
    # Machines need no folder in common: were each to look into its own, those without a state
    # would begin anew beside one that goes on.
    newer = (IMAGES, CLASSES, MASKS)
    state = in_first(fabric, lambda: load_state(folder, settings, newer=newer, may_grow=True))
    plain = _build_network(config, training, state)
    if config.optim.freeze:
        freeze(plain, memory or MapMemory())
    net: nn.Module = plain
    if config.run.sync_norm and fabric.world_size > 1 and fabric.device.type == "cuda":
        net = nn.SyncBatchNorm.convert_sync_batchnorm(plain)  # type: ignore[no-untyped-call]
    # On CPUs too convolutions are 1.2 to 1.6 times as fast in this layout.
    net.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer: Any = make_optimizer(plain, config.optim)
    net, optimizer = fabric.setup(net, optimizer)
    if state is not None:
        with reading(folder / STATE, "does not fit its network; start in another folder"):
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
        _open_folder(folder, config)
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
        protocol or Protocol(resize=config.augmentation.resize),
        settings,
    )


def _build_network(
    config: TrainConfig, training: LabeledSet, state: State | None
) -> SegmentationNet:
    """The network with the weights of the state, or with those that the run starts from."""
    torch.manual_seed(mix_seeds(config.run.seed, 0))
    net = SegmentationNet(replace(config.network, seed=mix_seeds(config.run.seed, 3)))
    if state is not None:
        with reading(STATE, "does not fit its network; start in another folder"):
            net.load_state_dict(state.weights)
        return net
    if config.weights != "none":
        samples = Examples(training, config.augmentation, config.run.seed)
        backbone = config.network.backbone
        load_backbone(net, backbone, config.weights, images=lambda: _images(samples, 64))
    if config.start:
        names, measured = training.spec.names, config.data.measured
        start_from(net, config.start, names, measured=measured)
    return net


def _open_folder(folder: Path, config: TrainConfig) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    remove_parts(folder)
    with atomic_write(folder / "config.json") as path:
        path.write_text(json_text(config.to_dict(), indent=2) + "\n", encoding="utf-8")


def settings_of(
    config: TrainConfig, training: LabeledSet, findings: Findings | None = None
) -> dict[str, Any]:
    """What is kept beside a state: the settings, and which images, classes and masks it is about.

    The digest is of masks as they are read, so that it tells another mapping of values too; it is
    left out where nothing has been read.
    """
    names = "\n".join(example.name for example in training.examples)
    images = [len(training.examples), hashlib.sha256(names.encode()).hexdigest()]
    classes = list(training.spec.names)
    masks = {} if findings is None else {MASKS: findings.digest}
    return {**config.to_dict(), IMAGES: images, CLASSES: classes, **masks}


def _moved(state: State, device: torch.device) -> State:
    state.ema = {name: value.to(device) for name, value in state.ema.items()}
    return state


def _images(examples: Examples, count: int) -> Tensor:
    chosen = np.linspace(0, len(examples.data.examples) - 1, count).astype(int)
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
