"""What a training run leaves behind: evaluations, checkpoints, and the state to go on from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from saccade.evaluation import iou_per_class
from saccade.evaluation.inference import labels_of, predict_probabilities
from saccade.files import atomic_write
from saccade.images.network_input import NetworkReading, as_colors
from saccade.models.checkpoint import reading_document, save_checkpoint
from saccade.models.segmentation import SegmentationNet
from saccade.strict_json import json_text
from saccade.training.curves import HISTORY, write_losses
from saccade.training.evaluate import Scores, evaluate
from saccade.training.fabric import loss_scaler
from saccade.training.setup import Run
from saccade.training.state import save_state

BEST, LAST = "best.safetensors", "last.safetensors"


def validate(run: Run, epoch: int) -> Scores | None:
    """Evaluate on the validation split in all processes; keep the best weights so far."""
    if run.val is None:
        return None
    _share_statistics(run)
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
        _log_pictures(run, net, scores.each)
        if better:
            _save_checkpoint(run, BEST)
    return scores


def _share_statistics(run: Run) -> None:
    """All processes evaluate what the first one saves; each has its own running statistics."""
    if run.fabric.world_size == 1:
        return
    values = run.averaged
    for name, _ in run.plain.named_buffers():
        if name in values:  # some buffers are not saved
            torch.distributed.broadcast(values[name], 0)


def _evaluated(run: Run) -> SegmentationNet:
    """The network in eval mode, a copy with averaged weights where there is an average."""
    if not run.state.ema:
        run.plain.eval()
        return run.plain
    with torch.random.fork_rng(devices=[]):
        net = SegmentationNet(run.config.network).to(run.fabric.device)
    net.load_state_dict(run.state.ema)
    return net.eval()


def _log_pictures(run: Run, net: SegmentationNet, each: Sequence[tuple[int, float]]) -> None:
    """Half of the pictures are the worst predictions, half the best."""
    assert run.val is not None
    ranked, count = sorted(each, key=lambda item: item[1]), run.config.run.pictures
    worst = ranked[: count - count // 2]
    best = ranked[len(worst) :][::-1][: count // 2]
    places = [("worst", k, one) for k, one in enumerate(worst)]
    places += [("best", k, one) for k, one in enumerate(best)]
    for name, place, (index, _) in places:
        image = run.val.image(index)
        probabilities = predict_probabilities(net, image, run.protocol, run.fabric.device)
        image = as_colors(image)
        colors = run.val.spec.colors[labels_of(probabilities)]
        picture = np.concatenate([image, (image * 0.4 + colors * 0.6).astype(np.uint8)], 1)
        run.log.picture(f"{name}/{place}", picture, run.state.step)


def save(run: Run) -> None:
    """The state first: should the disk fill up, the run can still go on from it."""
    if run.fabric.global_rank != 0:
        return
    scaler = loss_scaler(run.fabric)
    state = replace(
        run.state,
        weights=run.plain.state_dict(),
        optimizer=run.optimizer.state_dict(),
        scaler=scaler.state_dict() if scaler is not None else {},
    )
    save_state(run.folder, state, run.settings)
    _save_checkpoint(run, LAST)
    write_losses(run.folder, run.state.losses)
    with atomic_write(run.folder / HISTORY) as path:
        path.write_text(json_text(run.state.history, indent=1) + "\n", encoding="utf-8")


def _save_checkpoint(run: Run, name: str) -> None:
    latest = run.state.history[-1] if run.state.history else {}
    info: dict[str, Any] = {
        "training": run.config.to_dict(),
        "data": run.train.title,
        "step": run.state.step,
        "miou": latest.get("miou"),
        "protocol": str(run.protocol),
    }
    if isinstance(run.train.reading, NetworkReading):
        info["reading"] = reading_document(run.train.reading)
    if run.state.longer:
        info["longer"] = run.state.longer
    info["training"]["data"].pop("root")  # a path of this machine is nobody's business
    for key in ("weights", "start"):
        info["training"][key] = Path(info["training"][key]).name
    weak = info["training"]["supervision"]
    for key in ("masks", "strong_list", "labels"):
        weak[key] = Path(weak[key]).name
    save_checkpoint(run.folder / name, run.config.network, run.averaged, run.train.spec, info)
