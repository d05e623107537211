"""Training a multi-dilated classifier from labels of whole images (MDC paper, section 3.2).

Like `saccade.training.loop`, every step is a function of weights, seed and step number, so that
an interrupted run goes on exactly. One process; a classifier is done long before a segmenter.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from saccade.data.sets import LabeledSet
from saccade.data.transforms import Augmentation, augment
from saccade.errors import InputError
from saccade.images import load_image
from saccade.models.mdc import LocalizerConfig, MultiDilatedNet, save_localizer
from saccade.models.pretrained import expects, load_backbone
from saccade.training.config import OptimConfig
from saccade.training.losses import classification_loss
from saccade.training.optimizer import drop_factor, make_optimizer, poly_factor, set_rates
from saccade.training.samples import Key, Order, mix_seeds
from saccade.training.signals import stop_on_signal
from saccade.training.state import State, load_state, save_state

CLASSIFIER = "classifier.safetensors"


@dataclass(frozen=True)
class LocalizerTraining:
    """How a classifier is trained; the defaults are the paper's.

    Attributes:
        network: what is trained; its number of classes comes from the data.
        weights: of the backbone: "imagenet", a file, or "none".
        optim: optimizer and schedule; class weights, auxiliary, accumulate, ema are not looked at.
        augmentation: of the images.
        seed: of weights, order and augmentation.
        device: "auto", "cpu" or "cuda".
        workers: processes that read images.
        save_every: steps between saved states, beside those at the end of each epoch.
    """

    network: LocalizerConfig
    weights: str = "none"
    optim: OptimConfig = field(
        default_factory=lambda: OptimConfig(epochs=15, batch=30, lr=0.001, drop=0.4)
    )
    augmentation: Augmentation = field(
        default_factory=lambda: Augmentation(crop=(321, 321), scale=(0.75, 1.5))
    )
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = 0
    save_every: int = 200


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
    found: LabeledSet,
    present: NDArray[np.bool_],
    folder: Path,
    *,
    report: Callable[[int, int, str], None] = lambda done, total, text: None,
) -> TrainedClassifier:
    """Train a classifier, or go on with the run that FOLDER holds.

    Writes classifier.safetensors at the end, and state.pt to go on from.

    Args:
        config: how.
        found: the images; their masks are not read.
        present: (N, K) bool, the labels of each image.
        folder: of the run, made if it is missing.
        report: told of the progress.

    Raises:
        InputError: weights or settings that cannot be used, a class that never occurs, or a run
            in FOLDER with other settings, images or labels.
        OSError: a full disk; what was written stays whole.
    """
    check_labels(found, present)
    network = replace(config.network, classes=present.shape[1])
    colors = expects(config.weights)
    if colors:
        network = replace(network, mean=colors[0], std=colors[1])
    config = replace(config, network=network)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = _Pictures(found, present, config.augmentation, config.seed)
    run = _prepare(config, pictures, folder)
    interrupted = _steps(run, report)
    if not interrupted:
        save_localizer(
            folder / CLASSIFIER,
            run.net,
            found.spec,
            {"seed": config.seed, "title": found.title},
        )
    state, order = run.state, run.order
    return TrainedClassifier(
        run.net.eval(), state.step, order.steps, interrupted, [e["loss"] for e in state.history]
    )


def check_labels(found: LabeledSet, present: NDArray[np.bool_]) -> None:
    """Raise InputError where a class but the background is in no image."""
    never = np.flatnonzero(~present.any(0))
    names = [n for n in (found.spec.names[i] for i in never) if n != "background"]
    if names:
        raise InputError(
            f"{found.title}: class {names[0]!r} is in no image"
            + (f" (and {len(names) - 1} more classes)" if len(names) > 1 else "")
            + "; take it out of the classes, or label images with it"
        )


class _Pictures(Dataset[tuple[Tensor, Tensor]]):
    """Augmented images by (epoch, index), and which classes they have."""

    def __init__(
        self,
        found: LabeledSet,
        present: NDArray[np.bool_],
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self.paths = [example.image for example in found.examples]
        self.present, self.augmentation, self.seed = torch.from_numpy(present), augmentation, seed
        self.identity = {
            "classes": list(found.spec.names),
            "images": _digest([example.name for example in found.examples]),
            "labels": _digest(present.astype(int).tolist()),
        }

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        """(3, h, w) uint8 and (K,) bool."""
        epoch, index = key
        image = load_image(self.paths[index])
        nothing = np.zeros(image.shape[:2], np.uint8)
        seed = mix_seeds(self.seed, 1, epoch, index)
        return augment(image, nothing, self.augmentation, seed)[0], self.present[index]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


@dataclass
class _Run:
    config: LocalizerTraining
    folder: Path
    net: MultiDilatedNet
    optimizer: torch.optim.SGD
    order: Order
    pictures: _Pictures
    state: State
    device: str


def _prepare(config: LocalizerTraining, pictures: _Pictures, folder: Path) -> _Run:
    device = config.device
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device is 'cuda', but PyTorch sees no CUDA device here")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    state = load_state(folder, _identity(config, pictures), newer=(_LABELLED,))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seeds(config.seed, 0))
        net = MultiDilatedNet(config.network)
    if state is not None:
        net.load_state_dict(state.weights)
    elif config.weights != "none":
        count = len(pictures.paths)
        load_backbone(
            net,
            config.network.backbone,
            config.weights,
            images=lambda: _some(pictures, np.linspace(0, count - 1, min(64, count)).astype(int)),
        )
    net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = make_optimizer(net, config.optim)
    if state is not None:
        optimizer.load_state_dict(state.optimizer)
    state = state or State(0, {}, {}, {}, {}, -1.0, [])
    order = Order(
        len(pictures.paths),
        config.optim.batch,
        config.optim.epochs,
        seed=config.seed,
        start=state.step,
    )
    return _Run(config, folder, net, optimizer, order, pictures, state, device)


def _some(pictures: _Pictures, indices: NDArray[np.integer]) -> Tensor:
    return torch.stack([pictures[0, int(i)][0] for i in indices]).float() / 255


def _steps(run: _Run, report: Callable[[int, int, str], None]) -> bool:
    """Do what is left; returns whether it was stopped."""
    batches: Iterator[Any] = iter(
        DataLoader(
            run.pictures,
            batch_sampler=run.order,
            num_workers=run.config.workers,
            persistent_workers=run.config.workers > 0,
            multiprocessing_context="forkserver" if run.config.workers else None,
        )
    )
    state, steps, total = run.state, run.order.steps, 0.0
    with stop_on_signal() as stopped:
        while state.step < steps:
            loss = _step(run, next(batches))
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
    factor = poly_factor(step, run.order.steps, 0.0 if optim.drop else optim.power, optim.warmup)
    if optim.drop:
        factor *= drop_factor(step, run.order.steps, optim.drop)
    set_rates(run.optimizer, optim.lr, factor)
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
    save_state(run.folder, state, _identity(run.config, run.pictures))


_LABELLED = "labelled set"


def _identity(config: LocalizerTraining, pictures: _Pictures) -> dict[str, Any]:
    return {**settings_of(config), _LABELLED: pictures.identity}


def settings_of(config: LocalizerTraining) -> dict[str, Any]:
    """What decides the weights of a classifier beside its data, without paths of this machine."""
    content = asdict(config)
    for key in ("device", "workers", "save_every"):
        del content[key]
    content["weights"] = Path(config.weights).name
    return content
