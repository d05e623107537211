"""The training loop, on Lightning Fabric: one process or many, interrupted or not, the same run.

Every step is a function of the weights, the seed and the step's number: order, augmentation,
dropout and GDPP's draws are seeded anew for each. Nothing else has to be saved to go on exactly.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from saccade.data.check import Findings, inspect, require_sound
from saccade.data.files import atomic_write
from saccade.data.images import load_image
from saccade.data.sets import LabelledSet, open_set
from saccade.errors import InputError
from saccade.evaluation import iou_per_class
from saccade.evaluation.inference import Protocol, labels_of, predict_probabilities
from saccade.models.checkpoint import load_checkpoint, save_checkpoint
from saccade.models.pretrained import expects, load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.nn.seeded import SeededConv2d
from saccade.training.config import DataConfig, TrainConfig
from saccade.training.evaluate import Scores, evaluate
from saccade.training.loading import Examples, Order, loader, mixed
from saccade.training.log import Log
from saccade.training.losses import class_weights, pixel_loss
from saccade.training.optimiser import make_optimiser, poly_factor, set_rates, update_average
from saccade.training.state import State, first_difference, load_state, save_state

BEST, LAST, HISTORY = "best.safetensors", "last.safetensors", "history.json"

Report = Callable[[float, float, str], None]
"""Told how much of how much is done, and what is being done."""


@dataclass(frozen=True)
class Trained:
    """What a run left behind.

    Attributes:
        scores: of the last evaluation; None without a validation split or when interrupted.
        best: best mIoU, -1 where nothing was evaluated.
        step: steps done.
        steps: of the whole run.
        interrupted: whether it was stopped; the same command goes on.
        history: one entry per evaluated epoch.
        seconds: of this call.
    """

    scores: Scores | None
    best: float
    step: int
    steps: int
    interrupted: bool
    history: list[dict[str, Any]]
    seconds: float


@dataclass
class _Run:
    """What the steps of a run share."""

    config: TrainConfig
    folder: Path
    fabric: Any
    net: nn.Module
    plain: SegmentationNet
    optimiser: Any
    train: LabelledSet
    val: LabelledSet | None
    weight: Tensor | None
    state: State
    log: Log
    report: Report
    protocol: Protocol

    @property
    def averaged(self) -> dict[str, Tensor]:
        """The weights that are evaluated and saved."""
        return self.state.ema or self.plain.state_dict()


def open_sets(data: DataConfig) -> tuple[LabelledSet, LabelledSet | None]:
    """The training split, and the validation split where one is named.

    Raises:
        InputError: as `open_set`.
    """
    sets = [
        open_set(data.layout, Path(data.root), split) if split else None
        for split in (data.train, data.val)
    ]
    thinned = [s and replace(s, examples=s.examples[:: data.every]) if s else None for s in sets]
    if thinned[0] is None:
        raise InputError("data: train is empty, name a split")
    return thinned[0], thinned[1]


def train(
    config: TrainConfig,
    folder: Path,
    *,
    protocol: Protocol | None = None,
    report: Report = lambda done, total, text: None,
) -> Trained:
    """Train a network, or go on with the run that FOLDER holds.

    Writes best.safetensors, last.safetensors, history.json, config.json, tensorboard/, and
    state.pt to go on from. Under `torchrun` it trains in all its processes together.

    Args:
        config: what to do; its number of classes is taken from the data.
        folder: of the run; made if it is missing.
        protocol: how validation asks the network, by default the whole image once.
        report: told of the progress.

    Raises:
        InputError: data, weights or settings that cannot be used; before the first step.
        OSError: a full disk; what was written stays whole.
    """
    started = time.perf_counter()
    fabric = launch(config)
    training, val = open_sets(config.data)
    findings = _check(training, val, report)
    network = replace(config.network, classes=len(training.spec.names))
    colors = expects(config.weights)
    if colors:
        network = replace(network, mean=colors[0], std=colors[1])
    config = replace(config, network=network)
    if fabric.global_rank == 0:
        folder.mkdir(parents=True, exist_ok=True)
    fabric.barrier()
    run = _prepare(config, folder, fabric, (training, val), findings, protocol, report)
    try:
        scores, interrupted = _steps(run)
    finally:
        run.log.close()
    steps = _order(run).steps
    return Trained(
        scores,
        run.state.best,
        run.state.step,
        steps,
        interrupted,
        run.state.history,
        time.perf_counter() - started,
    )


def launch(config: TrainConfig) -> Any:
    """A Fabric for this process, one of several under `torchrun`.

    Raises:
        InputError: CUDA is asked for and missing, or a batch that the processes cannot share.
    """
    from lightning.fabric import Fabric

    device = config.run.device
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("run: device is 'cuda', but PyTorch sees no CUDA device here")
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


def _check(training: LabelledSet, val: LabelledSet | None, report: Report) -> Findings:
    """Every mask is read once before the first step, so that a wrong one is not found at night."""
    count = len(training.examples) + (len(val.examples) if val else 0)

    def told(first: int) -> Callable[[int, int], None]:
        return lambda done, _: report(first + done, count, "checking masks")

    findings = inspect(training, told(0))
    require_sound(findings)
    if val is not None:
        require_sound(inspect(val, told(len(training.examples))))
    return findings


def _prepare(
    config: TrainConfig,
    folder: Path,
    fabric: Any,
    sets: tuple[LabelledSet, LabelledSet | None],
    findings: Findings,
    protocol: Protocol | None,
    report: Report,
) -> _Run:
    training, val = sets
    if config.run.deterministic:
        torch.use_deterministic_algorithms(True, warn_only=True)
    state = load_state(folder, config.to_dict())
    torch.manual_seed(mixed(config.run.seed, 0))
    plain = SegmentationNet(replace(config.network, seed=mixed(config.run.seed, 3)))
    if config.weights != "none" and state is None:
        some = Examples(training, config.augmentation, config.run.seed)
        load_backbone(plain, config.weights, images=lambda: _images(some, 64))
    net: nn.Module = plain
    if config.run.sync_norm and fabric.world_size > 1 and fabric.device.type == "cuda":
        net = nn.SyncBatchNorm.convert_sync_batchnorm(plain)
    if config.start and state is None:
        _start_from(plain, config, training)
    if state is not None:
        plain.load_state_dict(state.weights)
    net.to(fabric.device)
    optimiser: Any = make_optimiser(plain, config.optim)
    net, optimiser = fabric.setup(net, optimiser)
    if state is not None:
        optimiser.load_state_dict(state.optimizer)
    else:
        ema = plain.state_dict() if config.optim.ema else {}
        copies = {name: value.clone() for name, value in ema.items()}
        state = State(0, {}, {}, copies, {}, -1.0, [])
    weight = class_weights(findings.pixels, config.optim.class_weights)
    leader = fabric.global_rank == 0
    if leader:
        with atomic_write(folder / "config.json") as path:
            path.write_text(json.dumps(config.to_dict(), indent=2) + "\n")
    return _Run(
        config,
        folder,
        fabric,
        net,
        plain,
        optimiser,
        training,
        val,
        None if weight is None else weight.to(fabric.device),
        _moved(state, fabric.device),
        Log(folder, on=leader),
        report,
        protocol or Protocol(),
    )


def _start_from(net: SegmentationNet, config: TrainConfig, training: LabelledSet) -> None:
    found = load_checkpoint(config.start)
    if found.spec.names != training.spec.names:
        raise InputError(
            f"{config.start}: knows {len(found.spec.names)} classes, {found.spec.names[0]} ... "
            f"{found.spec.names[-1]}; the data has {len(training.spec.names)}, "
            f"{training.spec.names[0]} ... {training.spec.names[-1]}"
        )
    ours, theirs = (_shape_of(n) for n in (config.network, found.net.config))
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


def _order(run: _Run) -> Order:
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


def _steps(run: _Run) -> tuple[Scores | None, bool]:
    order = _order(run)
    examples = Examples(run.train, run.config.augmentation, run.config.run.seed)
    batches = iter(loader(examples, order, run.config.run.workers))
    scores: Scores | None = None
    with _stop_on_signal() as stopped:
        while run.state.step < order.steps:
            loss = _step(run, batches, order.steps)
            done = run.state.step
            epoch, ends = divmod(done, order.steps_per_epoch)
            run.report(done, order.steps, f"epoch {-(-done // order.steps_per_epoch)}")
            if run.fabric.global_rank == 0 and done % 10 == 0:
                run.log.scalars({"loss": loss, "lr": _rate(run)}, done)
            last = done == order.steps
            if ends == 0 and (epoch % run.config.run.validate_every == 0 or last):
                scores = _validate(run, epoch)
            stop = _any(run.fabric, bool(stopped))
            if ends == 0 or stop or done % run.config.run.save_every == 0:
                _save(run)
            if stop:
                return scores, not last
    return scores, False


def _step(run: _Run, batches: Iterator[tuple[Tensor, Tensor]], steps: int) -> float:
    optim, fabric, step = run.config.optim, run.fabric, run.state.step
    run.net.train()
    _reseed(run, step)
    set_rates(run.optimiser, optim.lr, poly_factor(step, steps, optim.power, optim.warmup))
    run.optimiser.zero_grad()
    total = 0.0
    for part in range(optim.accumulate):
        images, labels = (t.to(fabric.device, non_blocking=True) for t in next(batches))
        together = part + 1 == optim.accumulate or fabric.world_size == 1
        with nullcontext() if together else fabric.no_backward_sync(run.net):
            scores, second = run.net(images.float() / 255, auxiliary=True)
            loss = pixel_loss(scores, labels, run.weight)
            if second is not None:
                loss = loss + optim.auxiliary * pixel_loss(second, labels, run.weight)
            fabric.backward(loss / optim.accumulate)
        total += float(loss.detach()) / optim.accumulate
    if not np.isfinite(total):
        raise InputError(
            f"the loss is {total} in step {step + 1}; a smaller lr, warmup or clip would help"
        )
    if optim.clip:
        fabric.clip_gradients(run.net, run.optimiser, max_norm=optim.clip)
    run.optimiser.step()
    if optim.ema:
        update_average(run.state.ema, run.plain.state_dict(), optim.ema)
    run.state.step += 1
    return total


def _reseed(run: _Run, step: int) -> None:
    """Dropout and GDPP's draws depend on the seed and the step alone; dropout on the process too.

    All processes draw the same dilation, as they train one network.
    """
    seed = run.config.run.seed
    torch.manual_seed(mixed(seed, 4, step, run.fabric.global_rank))
    layers = [m for m in run.plain.modules() if isinstance(m, SeededConv2d)]
    for number, layer in enumerate(layers):
        layer.reseed(mixed(seed, 5, step, number))


def _rate(run: _Run) -> float:
    return float(run.optimiser.param_groups[0]["lr"])


def _any(fabric: Any, mine: bool) -> bool:
    if fabric.world_size == 1:
        return mine
    flag = torch.tensor(float(mine), device=fabric.device)
    return bool(fabric.all_reduce(flag, reduce_op="sum") > 0)


def _validate(run: _Run, epoch: int) -> Scores | None:
    if run.val is None:
        return None
    net = _evaluated(run)
    scores = evaluate(
        net,
        run.val,
        run.protocol,
        device=run.fabric.device,
        rank=run.fabric.global_rank,
        world=run.fabric.world_size,
    )
    matrix = torch.from_numpy(scores.matrix).to(run.fabric.device)
    if run.fabric.world_size > 1:
        matrix = run.fabric.all_reduce(matrix, reduce_op="sum")
    scores = replace(scores, matrix=matrix.cpu().numpy(), images=len(run.val.examples))
    names = run.val.spec.names
    ious = dict(zip(names, iou_per_class(scores.matrix).tolist(), strict=True))
    entry = {"epoch": epoch, "step": run.state.step, "miou": scores.miou, "iou": ious}
    run.state.history.append({**entry, "accuracy": scores.accuracy})
    better = scores.miou > run.state.best
    run.state.best = max(run.state.best, scores.miou)
    if run.fabric.global_rank == 0:
        run.log.scalars({"val/miou": scores.miou, "val/accuracy": scores.accuracy}, run.state.step)
        _log_pictures(run, net)
        if better:
            _save_checkpoint(run, BEST)
    return scores


def _evaluated(run: _Run) -> SegmentationNet:
    """The network in eval mode, a copy with averaged weights where there is an average."""
    if not run.state.ema:
        run.plain.eval()
        return run.plain
    with torch.random.fork_rng(devices=[]):
        net = SegmentationNet(run.config.network).to(run.fabric.device)
    net.load_state_dict(run.state.ema)
    return net.eval()


def _log_pictures(run: _Run, net: SegmentationNet) -> None:
    assert run.val is not None
    for index in range(min(run.config.run.pictures, len(run.val.examples))):
        image = load_image(run.val.examples[index].image)
        found = predict_probabilities(net, image, run.protocol, run.fabric.device)
        colors = run.val.spec.colors[labels_of(found)]
        picture = np.concatenate([image, (image * 0.4 + colors * 0.6).astype(np.uint8)], 1)
        run.log.picture(f"val/{index}", picture, run.state.step)


def _save(run: _Run) -> None:
    """The state first: should the disk fill up, the run can still go on from it."""
    if run.fabric.global_rank != 0:
        return
    state = replace(run.state, weights=run.plain.state_dict(), optimizer=run.optimiser.state_dict())
    save_state(run.folder, state, run.config.to_dict())
    _save_checkpoint(run, LAST)
    with atomic_write(run.folder / HISTORY) as path:
        path.write_text(json.dumps(run.state.history, indent=1) + "\n")


def _save_checkpoint(run: _Run, name: str) -> None:
    latest = run.state.history[-1] if run.state.history else {}
    info = {
        "training": run.config.to_dict(),
        "data": run.train.title,
        "step": run.state.step,
        "miou": latest.get("miou"),
        "protocol": str(run.protocol),
    }
    info["training"]["data"].pop("root")  # a path of this machine is nobody's business
    for key in ("weights", "start"):
        info["training"][key] = Path(info["training"][key]).name
    save_checkpoint(run.folder / name, run.config.network, run.averaged, run.train.spec, info)


@contextmanager
def _stop_on_signal() -> Iterator[list[int]]:
    """A list that fills when SIGINT or SIGTERM arrives; a second SIGINT ends at once."""
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        if seen and number == signal.SIGINT:
            raise KeyboardInterrupt
        seen.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        before = {number: signal.signal(number, note) for number in numbers}
    except ValueError:  # not in the main thread: signals are somebody else's
        before = {}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
