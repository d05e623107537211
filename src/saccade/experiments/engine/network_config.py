"""From a row of a table to the training run behind it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from saccade.data.known import SIZES
from saccade.data.pascal import voc_folder
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.experiments.engine.network_tables import SCHEDULES, NetworkTable, Variant
from saccade.files import read_names
from saccade.models.segmentation import config_from_dict
from saccade.strict_json import json_text
from saccade.training.config import DataConfig, RunConfig, TrainConfig
from saccade.training.inputs import open_sets
from saccade.training.optim_config import OptimConfig
from saccade.training.segmentation_losses import LossConfig
from saccade.training.supervision import SupervisionConfig

IMAGE_LABELS = "image-labels.csv"
"""Beside the folders of label images: the classes of each image, which online masks may have."""

LEFT_OUT = "left-out.txt"
"""In the folder of strokes: images that are left out, as their strokes are of one class."""


def read_left_out(folder: Path) -> list[str]:
    """The names of images that have no label in a folder of strokes on purpose.

    Example:
        >>> read_left_out(Path("nowhere"))
        []
    """
    path = folder / LEFT_OUT
    return read_names(path) if path.is_file() else []


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
        subset: name of a part of the paper's data that stands in for it; "" for all of it.
        epochs: in place of the schedule's; 0 for these.
        curve: evaluate every so many epochs as well; 0 at the end alone.
        crop: side of square crops in place of the schedule's; 0 for these.
        freeze: keep the backbones as they are; images keep their scale, so that maps come again.
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
    subset: str = ""
    epochs: int = 0
    curve: int = 0
    crop: int = 0
    freeze: bool = False

    def augmentation(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Settings of `Augmentation` with what this plan changes in them."""
        crop = {"crop": (self.crop, self.crop)} if self.crop else {}
        return {**settings, **crop, **({"scale": (1.0, 1.0)} if self.freeze else {})}


def is_papers(table: NetworkTable, plan: NetworkPlan) -> bool:
    """Whether a plan has the data of the paper, all of it."""
    return plan.data.layout == table.layout and not plan.subset


def check_sizes(table: NetworkTable, plan: NetworkPlan, images: Mapping[str, int]) -> None:
    """Raise InputError where the paper's data has another number of images than the paper.

    Args:
        table: whose data it is.
        plan: names the data.
        images: split -> number of images.
    """
    for split, count in images.items():
        size = SIZES.get((plan.data.layout, split), count)
        if is_papers(table, plan) and count != size:
            raise InputError(
                f"{plan.data.root}: split {split!r} has {count:,} images, the paper has {size:,}; "
                "--subset NAME trains on a part of the data and names it in the report"
            )


def chosen_rows(
    table: NetworkTable, only: Sequence[str] = (), plan: NetworkPlan | None = None
) -> dict[str, Variant]:
    """The rows to measure, by label; `run`, `trained_as` and `start` are names of folders.

    Args:
        table: of trained networks.
        only: names of rows, as their folders in FOLDER/runs are called, empty for all; rows whose
            networks they evaluate or start from come along.
        plan: where it is not the paper's data, rows that need a split of it are left out.

    Raises:
        InputError: a name that no row has.
    """
    whole = plan is None or is_papers(table, plan)
    root = voc_folder(Path(plan.data.root)) if plan else Path()
    rows = {
        label: row
        for label, row in table.rows.items()
        if not row.literature
        and (whole or not row.split[0])
        and not (plan and row.needs and not (root / row.needs).is_file())
    }
    names = {label: _folder_name(label) for label in rows}
    for name in only:
        if name not in names.values():
            raise InputError(
                f"--rows: {table.name} has no row {name!r}, only {', '.join(names.values())}"
            )
    wanted = {label for label in rows if not only or names[label] in only}
    wanted |= {rows[label].trained_as for label in wanted}
    wanted |= {rows[label].start for label in wanted if label}
    folders = {label: _folder_name(row.run or label) for label, row in rows.items()}
    return {
        label: replace(
            row,
            run=folders[label],
            trained_as=folders.get(row.trained_as, ""),
            start=folders.get(row.start, ""),
        )
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
    epochs = plan.epochs or optim.get("epochs", OptimConfig().epochs)
    optim["epochs"] = max(1, round(epochs * row.length))
    layout, split = row.split
    data = replace(plan.data, layout=layout, train=split) if layout else plan.data
    crop = {"crop": table.crop, **changed.get("augmentation", {}), **table.augmentation}
    if plan.data.layout == "camvid":  # its frames are few and alike: the schedule's jitter counts
        crop |= changed.get("augmentation", {})
    optim |= {"freeze": True} if plan.freeze else {}
    device: Any = plan.device
    return TrainConfig(
        data,
        config_from_dict(network),
        plan.weights,
        "",
        OptimConfig(**optim),
        Augmentation(**plan.augmentation(crop)),
        RunConfig(
            seed=seed,
            device=device,
            workers=plan.workers,
            validate_every=plan.curve or 10**6,
            pictures=0,
        ),
        _supervision(row, plan, masks),
    )


def result_settings(config: TrainConfig) -> dict[str, Any]:
    """What a result depends on, without paths of this machine."""
    content = asdict(replace(config, data=replace(config.data, root="")))
    content["weights"] = Path(config.weights).name
    content["start"] = Path(config.start).parent.name if config.start else ""
    content["run"] = {"seed": config.run.seed, "precision": config.run.precision}
    if config.loss == LossConfig():
        del content["loss"]
    if config.supervision == SupervisionConfig():
        del content["supervision"]
    else:
        for name in ("masks", "labels", "strong_list"):
            content["supervision"][name] = Path(content["supervision"][name]).name
    plain: dict[str, Any] = json.loads(json_text(content))
    return plain


def _supervision(row: Variant, plan: NetworkPlan, masks: Path | None) -> SupervisionConfig:
    if masks is None:
        return SupervisionConfig()
    settings = dict(row.supervision)
    if "strong" in settings:  # a share, as other data has another number of images
        training, _ = open_sets(plan.data)
        settings["strong"] = round(settings["strong"] * len(training.examples))
    if "strong_list" in settings:  # which other data has not
        listed = f"ImageSets/Segmentation/{settings.pop('strong_list')}.txt"
        if plan.data.layout == "voc-aug":
            settings["strong_list"] = str(voc_folder(Path(plan.data.root)) / listed)
    training, _ = open_sets(plan.data)
    # Masks may be missing of images that were left out on purpose; others are an error.
    absent = {e.name for e in training.examples if not (masks / f"{e.name}.png").is_file()}
    if absent and absent <= set(read_left_out(masks.with_name("strokes"))):
        settings["leave_out"] = True
    if settings.get("online"):
        settings["labels"] = str(masks.with_name(IMAGE_LABELS))
    return SupervisionConfig(str(masks), **settings)


def _folder_name(label: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in label.lower()).strip("-")
