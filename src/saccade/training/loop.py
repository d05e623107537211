"""The training loop, on Lightning Fabric: one process or many, interrupted or not, the same run.

Every step is a function of the weights, the seed and the step's number: order, augmentation,
dropout and GDPP's draws are seeded anew for each. Nothing else has to be saved to go on exactly.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.evaluation.inference import Protocol
from saccade.files import refuse_to_replace
from saccade.nn.seeded import SeededConv2d
from saccade.training.checkpointing import BEST, LAST, save, validate
from saccade.training.config import TrainConfig
from saccade.training.evaluate import Scores
from saccade.training.fabric import close, in_first, launch
from saccade.training.frozen import MapMemory
from saccade.training.inputs import Report, check_batch, check_sets, open_sets
from saccade.training.lock import locked_together
from saccade.training.losses import pixel_loss
from saccade.training.optimizer import rate_factor, set_rates, update_average
from saccade.training.samples import Examples, Order, load_batches, mix_seeds
from saccade.training.setup import Run, check_begin, order_of, prepare
from saccade.training.signals import next_unless_stopped, stop_on_signal
from saccade.training.start import completed
from saccade.training.state import State
from saccade.training.supervision import Batch, Counts, count_pixels, supervise


@dataclass(frozen=True)
class Trained:
    """What a run left behind.

    Attributes:
        scores: of the last evaluation; None without a validation split or when interrupted.
        best: best mIoU, -1 where nothing was evaluated.
        step: steps done.
        steps: of the whole run.
        interrupted: whether it was stopped; the same command goes on.
        early: whether it ended before its last step, as the scores did not grow any more.
        history: one entry per evaluated epoch.
        seconds: of this call.
    """

    scores: Scores | None
    best: float
    step: int
    steps: int
    interrupted: bool
    early: bool
    history: list[dict[str, Any]]
    seconds: float


def train(
    config: TrainConfig,
    folder: Path,
    *,
    sets: tuple[LabeledSet, LabeledSet | None] | None = None,
    protocol: Protocol | None = None,
    report: Report = lambda done, total, text: None,
    on_epoch: Callable[[dict[str, Any]], None] = lambda entry: None,
    note: Callable[[str], None] = lambda line: None,
    memory: MapMemory | None = None,
    watch: Callable[[State], None] = lambda state: None,
) -> Trained:
    """Train a network, or go on with the run that FOLDER holds.

    Writes best.safetensors, last.safetensors, history.json, config.json, tensorboard/, and
    state.pt to go on from. Under `torchrun` it trains in all its processes together.

    Args:
        config: what to do; its number of classes is taken from the data.
        folder: of the run; made if it is missing.
        sets: to train and to evaluate on, in place of those that `config.data` names.
        protocol: how validation asks the network, by default the whole image once, brought to
            the size that `augmentation.resize` says.
        report: told of the progress.
        on_epoch: given each entry of the history as it is made, in the first process only.
        note: given lines on the data that somebody should know before hours are spent.
        memory: of the maps of a frozen backbone, where several runs share them.
        watch: given the state after each evaluation, in the first process only.

    Raises:
        InputError: data, weights or settings that cannot be used, or another process that trains
            in the folder; before the first step.
        OSError: a full disk; what was written stays whole.
    """
    started = time.perf_counter()
    fabric = launch(config)
    training, val = sets or open_sets(config.data, config.supervision)
    check_batch(config, training)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, expected a folder for the run")
    refuse_to_replace((folder / name for name in (BEST, LAST)), (config.weights, config.start))
    with locked_together(folder, fabric):
        config = completed(config, training)
        odd = in_first(fabric, lambda: check_begin(config, folder, training))
        findings, remarks = check_sets(training, val, report)
        for line in (*odd, *remarks) if fabric.global_rank == 0 else ():
            note(line)
        run = prepare(config, folder, fabric, (training, val), findings, protocol, report, memory)
        try:
            scores, interrupted = _steps(run, on_epoch, watch)
        finally:
            run.log.close()
        close(fabric)
    return Trained(
        scores,
        run.state.best,
        run.state.step,
        order_of(run).steps,
        interrupted,
        not interrupted and run.state.step < order_of(run).steps,
        run.state.history,
        time.perf_counter() - started,
    )


def _steps(
    run: Run, on_epoch: Callable[[dict[str, Any]], None], watch: Callable[[State], None]
) -> tuple[Scores | None, bool]:
    order = order_of(run)
    config, optim = run.config, run.config.optim
    examples = Examples(run.train, config.augmentation, config.run.seed, config.supervision)
    scores: Scores | None = None
    with stop_on_signal() as stopped:
        batches = load_batches(examples, order, run.config.run.workers)
        if _unscored(run, order):  # it was ended in the evaluation
            scores = _evaluated(run, order, on_epoch, watch)
            save(run)
        while run.state.step < order.steps and not _exhausted(run):
            parts = [next_unless_stopped(batches, stopped) for _ in range(optim.accumulate)]
            read = [part for part in parts if part is not None]
            if len(read) < len(parts):
                save(run)
                return scores, True
            loss = _step(run, read, order.steps)
            done = run.state.step
            ends = done % order.steps_per_epoch
            epoch = -(-done // order.steps_per_epoch)
            run.report(done, order.steps, f"epoch {epoch}, loss {loss:.3f}, lr {_rate(run):.2g}")
            if done % 10 == 0 or done == order.steps:
                run.state.losses.append([done, loss, _rate(run)])
                run.log.scalars({"loss": loss, "lr": _rate(run)}, done)
            last = done == order.steps
            if _unscored(run, order):
                save(run)  # whatever happens in the evaluation, the epoch is not lost
                scores = _evaluated(run, order, on_epoch, watch)
            stop = _any(run.fabric, bool(stopped))
            if ends == 0 or stop or done % run.config.run.save_every == 0:
                save(run)
            if stop:
                return scores, not last
    return scores, False


def _exhausted(run: Run) -> bool:
    """Whether so many evaluations as `patience` says have passed without a better one."""
    scores = [entry["miou"] for entry in run.state.history]
    patience = run.config.optim.patience
    return bool(patience and scores) and len(scores) - 1 - int(np.argmax(scores)) >= patience


def _unscored(run: Run, order: Order) -> bool:
    """Whether the epoch that has just ended is to be evaluated and has not been."""
    step, history = run.state.step, run.state.history
    epoch, rest = divmod(step, order.steps_per_epoch)
    if run.val is None or rest or not step or (history and history[-1]["step"] == step):
        return False
    return epoch % run.config.run.validate_every == 0 or step == order.steps


def _evaluated(
    run: Run,
    order: Order,
    on_epoch: Callable[[dict[str, Any]], None],
    watch: Callable[[State], None],
) -> Scores | None:
    scores = validate(run, run.state.step // order.steps_per_epoch)
    if scores is not None and run.fabric.global_rank == 0:
        on_epoch(run.state.history[-1])
        watch(run.state)
    return scores


def _step(run: Run, parts: list[Batch], steps: int) -> float:
    optim, fabric, step = run.config.optim, run.fabric, run.state.step
    run.net.train()
    _reseed(run, step)
    set_rates(run.optimizer, optim.lr, rate_factor(optim, step, steps))
    run.optimizer.zero_grad()
    total = 0.0
    counts = _mean_counts(run, parts)
    for part, read in enumerate(parts):
        batch = Batch(*(t.to(fabric.device, non_blocking=True) for t in read))
        together = part + 1 == optim.accumulate or fabric.world_size == 1
        with nullcontext() if together else fabric.no_backward_sync(run.net):
            images = (batch.images.float() / 255).contiguous(memory_format=torch.channels_last)
            scores, second = run.net(images, auxiliary=True)
            weak, losses = run.config.supervision, run.config.loss
            loss = supervise(scores, batch, images, weak, run.weight, counts, losses)
            if second is not None:
                count = counts and counts.pixels
                second_loss = pixel_loss(second, batch.labels, run.weight, count)
                loss = loss + optim.auxiliary * second_loss
            fabric.backward(loss / optim.accumulate)
        total += float(loss.detach()) / optim.accumulate
    if not np.isfinite(total):
        raise InputError(
            f"the loss is {total} in step {step + 1}; a smaller lr, warmup or clip would help"
        )
    if optim.clip:
        fabric.clip_gradients(run.net, run.optimizer, max_norm=optim.clip)
    run.optimizer.step()
    if optim.ema:
        update_average(run.state.ema, run.plain.state_dict(), optim.ema)
    run.state.step += 1
    return total


def _mean_counts(run: Run, parts: list[Batch]) -> Counts | None:
    """What a part's sums are divided by, the same in all parts and processes; None for one part."""
    fabric, count = run.fabric, len(parts) * run.fabric.world_size
    if count == 1:
        return None
    weight = None if run.weight is None else run.weight.cpu()
    found = [count_pixels(part, run.config.supervision, weight) for part in parts]
    total = torch.tensor(found, dtype=torch.float64).sum(0).to(fabric.device)
    if fabric.world_size > 1:
        total = fabric.all_reduce(total, reduce_op="sum")
    return Counts(*(total / count).tolist())


def _reseed(run: Run, step: int) -> None:
    """Dropout and GDPP's draws depend on the seed and the step alone; dropout on the process too.

    All processes draw the same dilation, as they train one network.
    """
    seed = run.config.run.seed
    torch.manual_seed(mix_seeds(seed, 4, step, run.fabric.global_rank))
    layers = [m for m in run.plain.modules() if isinstance(m, SeededConv2d)]
    for number, layer in enumerate(layers):
        layer.reseed(mix_seeds(seed, 5, step, number))


def _rate(run: Run) -> float:
    first = run.optimizer.param_groups[0]
    return float(first["lr"] / first["full"])


def _any(fabric: Any, mine: bool) -> bool:
    if fabric.world_size == 1:
        return mine
    flag = torch.tensor(float(mine), device=fabric.device)
    return bool(fabric.all_reduce(flag, reduce_op="sum") > 0)
