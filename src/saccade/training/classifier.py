"""Training a multi-dilated classifier from labels of whole images (MDC paper, section 3.2).

Like `saccade.training.loop`, every step is a function of weights, seed and step number, so that
an interrupted run goes on exactly. One process; a classifier is done long before a segmenter.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.data.sets import LabeledSet
from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.models.mdc import MultiDilatedNet, save_localizer
from saccade.models.pretrained import expects, load_backbone
from saccade.training.classifier_config import LocalizerTraining, settings_of
from saccade.training.frozen import MapMemory, freeze
from saccade.training.labeled_images import LabeledImages, check_labels
from saccade.training.lock import locked
from saccade.training.losses import classification_loss
from saccade.training.optimizer import make_optimizer, rate_factor, set_rates
from saccade.training.samples import Order, load_batches, mix_seeds
from saccade.training.signals import next_unless_stopped, stop_on_signal
from saccade.training.state import STATE, State, load_state, save_state

CLASSIFIER = "classifier.safetensors"

_LABELLED = "labelled set"
"""Key beside the settings of a run: which images with which labels."""


@dataclass(frozen=True)
class TrainedClassifier:
    """What a run left behind.

    Attributes:
        net: in eval mode, on its device.
        step: steps done.
        steps: of the whole run.
        interrupted: whether it was stopped; the same call goes on.
        losses: mean loss of each epoch that was finished.
    """

    net: MultiDilatedNet
    step: int
    steps: int
    interrupted: bool
    losses: list[float]


def train_classifier(
    config: LocalizerTraining,
    data: LabeledSet,
    present: NDArray[np.bool_],
    folder: Path,
    *,
    report: Callable[[int, int, str], None] = lambda done, total, text: None,
    absent: bool = False,
) -> TrainedClassifier:
    """Train a classifier, or go on with the run that FOLDER holds.

    Writes classifier.safetensors at the end, and state.pt to go on from.

    Args:
        config: how.
        data: the images; their masks are not read.
        present: (N, K) bool, the labels of each image.
        folder: of the run, made if it is missing.
        report: told of the progress.
        absent: let classes be in no image, as in a part of a data set; nothing is learned of them.

    Raises:
        InputError: weights or settings that cannot be used, a class that never occurs, or a run
            in FOLDER with other settings, images or labels.
        OSError: a full disk; what was written stays whole.
    """
    if not absent:
        check_labels(data, present)
    network = replace(config.network, classes=present.shape[1])
    config = replace(config, network=replace(network, **expects(config.weights)))
    images = LabeledImages(data, present, config.augmentation, config.seed)
    with locked(folder):
        run = _prepare(config, images, folder)
        interrupted = _steps(run, report)
        if not interrupted:
            about = {"seed": config.seed, "title": data.title}
            save_localizer(folder / CLASSIFIER, run.net, data.spec, about)
    state, order = run.state, run.order
    return TrainedClassifier(
        run.net.eval(), state.step, order.steps, interrupted, [e["loss"] for e in state.history]
    )


def check_classifier_start(config: LocalizerTraining, classes: int, folder: Path) -> None:
    """Load what a classifier starts from into one that is thrown away, before long work.

    Raises:
        InputError: the device is missing, or FOLDER has no run to go on with and weights are
            missing, damaged or of another network.
    """
    pick_device(config.device)
    if (folder / STATE).is_file() or config.weights == "none":
        return
    with torch.random.fork_rng(devices=[]):
        net = MultiDilatedNet(replace(config.network, classes=classes))
    noise = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    load_backbone(net, config.network.backbone, config.weights, images=lambda: noise)


@dataclass
class _Run:
    config: LocalizerTraining
    folder: Path
    net: MultiDilatedNet
    optimizer: torch.optim.Optimizer
    order: Order
    images: LabeledImages
    state: State
    device: str


def _prepare(config: LocalizerTraining, images: LabeledImages, folder: Path) -> _Run:
    device = pick_device(config.device).type
    state = load_state(folder, _identity(config, images), newer=(_LABELLED,))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seeds(config.seed, 0))
        net = MultiDilatedNet(config.network)
    if state is not None:
        net.load_state_dict(state.weights)
    elif config.weights != "none":
        backbone, weights = config.network.backbone, config.weights
        load_backbone(net, backbone, weights, images=lambda: images.some(64))
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if config.optim.freeze:
        freeze(net, MapMemory())
    optimizer = make_optimizer(net, config.optim)
    if state is not None:
        optimizer.load_state_dict(state.optimizer)
    state = state or State(0, {}, {}, {}, {}, -1.0, [])
    order = Order(
        len(images),
        config.optim.batch,
        config.optim.epochs,
        seed=config.seed,
        start=state.step,
    )
    return _Run(config, folder, net, optimizer, order, images, state, device)


def _steps(run: _Run, report: Callable[[int, int, str], None]) -> bool:
    """Do what is left; returns whether it was stopped."""
    state, steps, total = run.state, run.order.steps, 0.0
    with stop_on_signal() as stopped:
        batches = load_batches(run.images, run.order, run.config.workers)
        while state.step < steps:
            batch = next_unless_stopped(batches, stopped)
            if batch is None:
                _save(run)
                return True
            loss = _step(run, batch)
            total += loss
            epoch, rest = divmod(state.step, run.order.steps_per_epoch)
            report(state.step, steps, f"classifier, epoch {epoch + (rest > 0)}, loss {loss:.3f}")
            if rest == 0:
                # After a resumption the first epoch's mean is that of its steps since then.
                done = len(state.history)
                begun = run.order.start - done * run.order.steps_per_epoch
                counted = run.order.steps_per_epoch - max(0, begun)
                state.history.append({"epoch": epoch, "loss": total / counted})
                total = 0.0
            if rest == 0 or stopped or state.step % run.config.save_every == 0:
                _save(run)
            if stopped:
                return state.step < steps
    return False


def _step(run: _Run, batch: tuple[Tensor, Tensor]) -> float:
    optim, step = run.config.optim, run.state.step
    images, present = (t.to(run.device) for t in batch)
    run.net.train()
    set_rates(run.optimizer, optim.lr, rate_factor(optim, step, run.order.steps))
    run.optimizer.zero_grad()
    images = (images.float() / 255).contiguous(memory_format=torch.channels_last)
    loss = classification_loss(run.net(images), present)
    value = float(loss.detach())
    if not np.isfinite(value):
        raise InputError(f"the loss is {value} in step {step + 1}; a smaller lr would help")
    loss.backward()  # type: ignore[no-untyped-call]
    if optim.clip:
        torch.nn.utils.clip_grad_norm_(run.net.parameters(), optim.clip)
    run.optimizer.step()
    run.state.step += 1
    return value


def _save(run: _Run) -> None:
    weights, moments = run.net.state_dict(), run.optimizer.state_dict()
    state = replace(run.state, weights=weights, optimizer=moments)
    save_state(run.folder, state, _identity(run.config, run.images))


def _identity(config: LocalizerTraining, images: LabeledImages) -> dict[str, Any]:
    return {**settings_of(config), _LABELLED: images.identity}
