"""From a row of a table to the training run behind it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.experiments.engine.network_tables import SCHEDULES, NetworkTable, Variant
from saccade.models.segmentation import config_from_dict
from saccade.strict_json import json_text
from saccade.training.config import DataConfig, OptimConfig, RunConfig, TrainConfig
from saccade.training.inputs import open_sets
from saccade.training.supervision import SupervisionConfig


@dataclass(frozen=True)
class NetworkPlan:
    """Where and how the networks of a table are trained.

    Attributes:
        data: layout and folder of the data set.
        schedule: "paper", or one of `SCHEDULES`.
        backbone: "" for the paper's.
        weights: of the backbone.
        device: "auto", "cpu" or "cuda".
        workers: processes that read images.
        processes: number of processes that make label images; 0 for one per core.
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


def chosen_rows(table: NetworkTable, only: Sequence[str] = ()) -> dict[str, Variant]:
    """The rows of a table to measure, by label; `run` and `trained_as` are names of folders.

    Args:
        table: of trained networks.
        only: names of rows, as their folders in FOLDER/runs are called, empty for all; rows whose
            networks they evaluate come along.

    Raises:
        InputError: a name that no row has.
    """
    rows = {label: row for label, row in table.rows.items() if not row.literature}
    names = {label: _folder_name(label) for label in rows}
    for name in only:
        if name not in names.values():
            raise InputError(
                f"--rows: {table.name} has no row {name!r}, only {', '.join(names.values())}"
            )
    wanted = {label for label in rows if not only or names[label] in only}
    wanted |= {rows[label].trained_as for label in wanted}
    folders = {label: _folder_name(row.run or label) for label, row in rows.items()}
    return {
        label: replace(row, run=folders[label], trained_as=folders.get(row.trained_as, ""))
        for label, row in rows.items()
        if label in wanted
    }


def run_config(
    table: NetworkTable, row: Variant, plan: NetworkPlan, seed: int, masks: Path | None = None
) -> TrainConfig:
    """The training run behind a row of a table; `masks` is the folder of the row's label images."""
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


def result_settings(config: TrainConfig) -> dict[str, Any]:
    """What a result depends on, without paths of this machine."""
    content = asdict(replace(config, data=replace(config.data, root="")))
    content["weights"] = Path(config.weights).name
    content["run"] = {"seed": config.run.seed, "precision": config.run.precision}
    if config.supervision == SupervisionConfig():
        del content["supervision"]
    else:
        content["supervision"]["masks"] = Path(config.supervision.masks).name
    plain: dict[str, Any] = json.loads(json_text(content))
    return plain


def _supervision(row: Variant, plan: NetworkPlan, masks: Path | None) -> SupervisionConfig:
    if masks is None:
        return SupervisionConfig()
    settings = dict(row.supervision)
    if "strong" in settings:  # a share, as other data has another number of images
        training, _ = open_sets(plan.data)
        settings["strong"] = round(settings["strong"] * len(training.examples))
    return SupervisionConfig(str(masks), **settings)


def _folder_name(label: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in label.lower()).strip("-")
