"""One table of networks: every row trained with every seed, resumable, then the report."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from saccade.data.sets import LabeledSet
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.evaluation.inference import Protocol
from saccade.experiments.measure import Progress
from saccade.experiments.network_report import NetworkRow, write_network_report
from saccade.experiments.network_tables import NETWORK_TABLES, SCHEDULES, NetworkTable, Variant
from saccade.experiments.run_table import Finished
from saccade.experiments.weak_labels import check_labels, prepare_labels
from saccade.experiments.weak_tables import WEAK_TABLES
from saccade.files import atomic_write
from saccade.models.checkpoint import load_checkpoint
from saccade.models.segmentation import config_from_dict
from saccade.refine.dense_crf import DENSE_CRF_CONFIGS
from saccade.training.checkpointing import BEST, LAST
from saccade.training.config import DataConfig, OptimConfig, RunConfig, TrainConfig
from saccade.training.evaluate import evaluate
from saccade.training.inputs import open_sets
from saccade.training.loop import train
from saccade.training.state import STATE
from saccade.training.supervision import SupervisionConfig


@dataclass(frozen=True)
class NetworkPlan:
    """Where and how the networks of a table are trained.

    Attributes:
        data: where the examples are.
        schedule: "paper", or one of `SCHEDULES`.
        backbone: "" for the paper's.
        weights: of the backbone.
        device: "auto", "cpu" or "cuda".
        workers: processes that read images.
        processes: that make labels side by side.
        scribbles: ScribbleSup's strokes, a folder of XML files; None for simulated ones.
        saliency: a folder of saliency maps, for labels from images; None for OpenCV's.
    """

    data: DataConfig
    schedule: str
    backbone: str = ""
    weights: str = "none"
    device: str = "auto"
    workers: int = 0
    processes: int = 1
    scribbles: Path | None = None
    saliency: Path | None = None


def table_named(name: str) -> NetworkTable:
    """The table of networks with this name."""
    return {**NETWORK_TABLES, **WEAK_TABLES}[name]


def count_runs(name: str, seeds: Sequence[int], only: Sequence[str] = ()) -> int:
    """How many networks and evaluations the table `name` needs; raises as `chosen_rows`."""
    return len(chosen_rows(name, only)) * len(seeds)


def run_config(
    table: NetworkTable, row: Variant, plan: NetworkPlan, seed: int, masks: Path | None = None
) -> TrainConfig:
    """The training run behind a row of a table; `masks` are the labels that the row asks for."""
    changed = SCHEDULES.get(plan.schedule, {})
    backbone = plan.backbone or table.backbone
    stand_in = table.stand_in if backbone != table.backbone else {}
    network = {
        "classes": 2,
        "backbone": backbone,
        **stand_in.get("network", table.network),
        **row.network,
        **changed.get("network", {}),
    }
    optim = {**stand_in.get("optim", table.optim), **changed.get("optim", {}), **row.optim}
    device: Any = plan.device
    return TrainConfig(
        plan.data,
        config_from_dict(network),
        plan.weights,
        "",
        OptimConfig(**optim),
        Augmentation(**{"crop": table.crop, **changed.get("augmentation", {})}),
        RunConfig(seed=seed, device=device, workers=plan.workers, validate_every=10**6, pictures=0),
        _supervision(row, plan, masks),
    )


def _supervision(row: Variant, plan: NetworkPlan, masks: Path | None) -> SupervisionConfig:
    if masks is None:
        return SupervisionConfig()
    settings = dict(row.supervision)
    if "strong" in settings:  # a share, as other data has another number of images
        training, _ = open_sets(plan.data)
        settings["strong"] = round(settings["strong"] * len(training.examples))
    return SupervisionConfig(str(masks), **settings)


def chosen_rows(name: str, only: Sequence[str] = ()) -> dict[str, Variant]:
    """The rows of the table `name` to measure, by label.

    Args:
        name: of the table.
        only: names of rows, as their folders in FOLDER/runs are called, empty for all; the rows
            whose networks they ask come along.

    Raises:
        InputError: a name that no row has.
    """
    rows = {k: row for k, row in table_named(name).rows.items() if not row.literature}
    names = {label: _slug(label) for label in rows}
    for one in only:
        if one not in names.values():
            raise InputError(f"--rows: {name} has no row {one!r}, only {', '.join(names.values())}")
    wanted = {label for label in rows if not only or names[label] in only}
    wanted |= {rows[label].trained_as for label in wanted}
    return {label: row for label, row in rows.items() if label in wanted}


def run_networks(
    name: str,
    plan: NetworkPlan,
    folder: Path,
    *,
    seeds: Sequence[int],
    progress: Progress,
    only: Sequence[str] = (),
) -> Finished:
    """Train what is missing and write the report.

    FOLDER/runs keeps a folder per row and seed with the trained network and its result; a run
    that was stopped goes on where it was. Seeds are the outer loop, so that a table with fewer
    seeds is there early.

    Args:
        name: of `NETWORK_TABLES`.
        plan: where and how.
        folder: must exist.
        seeds: of weights, order and augmentation.
        progress: told how many runs are done.
        only: rows to measure, as in `chosen_rows`.

    Raises:
        InputError: data or weights that cannot be used, or runs with other settings in FOLDER.
    """
    table = table_named(name)
    _, val = open_sets(plan.data)
    if val is None:
        raise InputError("data: val is empty, a table needs a split to evaluate on")
    rows: list[NetworkRow] = []
    interrupted = False
    total = 0
    places = {label: _slug(row.run or label) for label, row in table.rows.items()}
    wanted = {
        label: replace(row, run=places[label], trained_as=places.get(row.trained_as, ""))
        for label, row in chosen_rows(name, only).items()
    }
    kinds = dict.fromkeys(row.labels for row in wanted.values() if row.labels)
    if kinds:
        check_labels(kinds, plan, folder, progress)
    masks = {kind: prepare_labels(kind, plan, folder, progress) for kind in kinds}
    for seed in seeds:
        for label, row in wanted.items():
            done, total = total, total + 1
            config = run_config(table, row, plan, seed, masks.get(row.labels))
            result = _one(config, label, row, plan, folder, seed, val, done, progress)
            if result is None:
                interrupted = True
                break
            rows.append(result)
        if interrupted:
            break
    text, files = write_network_report(folder, table, plan, rows, len(val.examples))
    return Finished(text, tuple(files), {}, interrupted)


def _one(
    config: TrainConfig,
    label: str,
    row: Variant,
    plan: NetworkPlan,
    folder: Path,
    seed: int,
    val: LabeledSet,
    done: int,
    progress: Progress,
) -> NetworkRow | None:
    home = folder / "runs" / f"{row.run}-seed{seed}"
    kept = home / "result.json"
    if kept.is_file():
        return _read(kept, config, label, seed)

    def told(part: float, whole: float, text: str) -> None:
        progress(done + part / max(whole, 1), f"{label}, seed {seed}: {text}")

    protocol = Protocol(**row.protocol)
    place = "cuda" if plan.device == "cuda" else "cpu"
    if row.trained_as:
        other = folder / "runs" / f"{row.trained_as}-seed{seed}"
        home.mkdir(parents=True, exist_ok=True)
        found = load_checkpoint(other / LAST, device=place)
        scores = evaluate(
            found.net,
            val,
            protocol,
            device=place,
            crf=DENSE_CRF_CONFIGS[row.crf] if row.crf else None,
            progress=lambda n, of: told(n, of, "asking"),
        )
        speed = 0.0
    else:
        trained = train(config, home, protocol=protocol, report=told)
        if trained.interrupted:
            return None
        images = trained.step * config.optim.batch
        speed = images / trained.seconds if trained.step == trained.steps else 0.0
        (home / STATE).unlink(missing_ok=True)
        (home / BEST).unlink(missing_ok=True)
        found = load_checkpoint(home / LAST, device=place)
        # A run that was killed after its last step has its network, but not its score.
        scores = trained.scores or evaluate(found.net, val, protocol, device=place)
    content = {
        "config": _settings(config),
        "matrix": scores.matrix.tolist(),
        "parameters": sum(p.numel() for p in found.net.parameters()),
        "head_parameters": sum(p.numel() for p in found.net.head.parameters()),
        "training_images_per_second": speed,
        "seconds_per_image": _latency(found.net),
    }
    with atomic_write(kept) as path:
        path.write_text(json.dumps(content) + "\n")
    return _read(kept, config, label, seed)


def _settings(config: TrainConfig) -> dict[str, Any]:
    """What a result depends on, without paths of this machine."""
    content = asdict(replace(config, data=replace(config.data, root="")))
    content["weights"] = Path(config.weights).name
    content["run"] = {"seed": config.run.seed, "precision": config.run.precision}
    if config.supervision == SupervisionConfig():
        del content["supervision"]
    else:
        content["supervision"]["masks"] = Path(config.supervision.masks).name
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def _read(path: Path, config: TrainConfig, label: str, seed: int) -> NetworkRow:
    content = json.loads(path.read_text())
    settings = content["config"]
    # Settings that are newer than the result had their default.
    if isinstance(settings.get("optim"), dict):
        settings["optim"] = {**asdict(OptimConfig()), **settings["optim"]}
    if settings != _settings(config):
        raise InputError(f"{path}: was measured with other settings; give -o another folder")
    matrix: NDArray[np.int64] = np.array(content["matrix"], np.int64)
    return NetworkRow(
        label,
        seed,
        matrix,
        content["parameters"],
        content["head_parameters"],
        content["training_images_per_second"],
        content["seconds_per_image"],
    )


@torch.no_grad()
def _latency(net: nn.Module, size: tuple[int, int] = (360, 480)) -> float:
    """Median seconds for one image in eval mode, on the CPU."""
    net, image = net.cpu(), torch.rand(1, 3, *size)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        net(image)
        times.append(time.perf_counter() - start)
    return median(times)


def _slug(label: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in label.lower()).strip("-")
