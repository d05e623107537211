"""Report of a table of trained networks: Markdown, CSV and JSON, ours beside the paper's."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.evaluation import iou_per_class, mean_iou, overall_accuracy
from saccade.experiments.engine.network_config import NetworkPlan, is_papers
from saccade.experiments.engine.network_tables import SCHEDULES, NetworkTable
from saccade.experiments.engine.report import (
    format_number,
    machine,
    markdown_table,
    verdict,
    write_json,
)
from saccade.files import atomic_write, read_json
from saccade.training.curves import HISTORY


@dataclass(frozen=True)
class NetworkRow:
    """One trained and evaluated network; ``matrix`` (K, K) counts, rows = truth."""

    label: str
    seed: int
    matrix: NDArray[np.int64]
    parameters: int
    head_parameters: int
    training_images_per_second: float
    seconds_per_image: float

    @property
    def miou(self) -> float:
        """In [0, 1]."""
        return mean_iou(self.matrix)


@dataclass(frozen=True)
class ReportFacts:
    """What a report says beside its rows.

    Attributes:
        images: split -> number of images.
        notes: lines on the data and the labels.
    """

    images: Mapping[str, int]
    notes: tuple[str, ...] = ()


def write_network_report(
    folder: Path,
    table: NetworkTable,
    plan: NetworkPlan,
    rows: Sequence[NetworkRow],
    facts: ReportFacts,
) -> tuple[str, list[Path]]:
    """Write NAME.md, NAME.csv and NAME.json; returns the text and the paths."""
    text = _markdown(table, plan, rows, facts)
    paths = [folder / f"{table.name}{suffix}" for suffix in (".md", ".csv", ".json")]
    with atomic_write(paths[0]) as path:
        path.write_text(text, encoding="utf-8")
    with atomic_write(paths[1]) as path, path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "seed", "miou", "accuracy", "parameters", "images_per_second"])
        for row in rows:
            scores = (f"{row.miou:.6f}", f"{overall_accuracy(row.matrix):.6f}")
            speed = f"{row.training_images_per_second:.3f}"
            writer.writerow([row.label, row.seed, *scores, row.parameters, speed])
    content = {
        "experiment": table.name,
        "data": plan.data.layout,
        "subset": plan.subset,
        "images": facts.images[plan.data.val],
        "training_images": facts.images[plan.data.train],
        "notes": list(facts.notes),
        "schedule": plan.schedule,
        "epochs": plan.epochs,
        "crop": plan.crop,
        "freeze": plan.freeze,
        "settings": SCHEDULES.get(plan.schedule, {}),
        "weights": Path(plan.weights).name,
        "machine": machine(),
        "rows": [_plain(row) for row in rows],
    }
    write_json(paths[2], content)
    return text, paths


def _plain(row: NetworkRow) -> dict[str, Any]:
    content = asdict(row)
    matrix = content.pop("matrix")
    ious = iou_per_class(matrix)
    return {**content, "miou": row.miou, "iou": [None if v != v else float(v) for v in ious]}


def _markdown(
    table: NetworkTable, plan: NetworkPlan, rows: Sequence[NetworkRow], facts: ReportFacts
) -> str:
    seeds = list(dict.fromkeys(row.seed for row in rows))
    same = (
        is_papers(table, plan)
        and plan.schedule == "paper"
        and not (plan.epochs or plan.crop or plan.freeze)
    )
    backbone = plan.backbone or table.backbone
    trained, evaluated = (facts.images[split] for split in (plan.data.train, plan.data.val))
    data = plan.data.layout + (f", the part *{plan.subset}*" if plan.subset else "")
    ours = (
        f"Ours: {data}, {trained:,} training images (`{plan.data.train}`), {evaluated:,} images "
        f"evaluated whole (`{plan.data.val}`), {backbone}, weights "
        f"{Path(plan.weights).name}, schedule `{plan.schedule}`"
        f"{f' with {plan.epochs} epochs' if plan.epochs else ''}"
        f"{f', crops of {plan.crop}' if plan.crop else ''}"
        f"{', the backbone frozen' if plan.freeze else ''}, "
        f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}. "
        f"The paper: {table.paper}."
    )
    if not same:
        ours += " **Other data and schedule than the paper's**: compare orders, not numbers."
    notes = [f"- {note}" for note in facts.notes]
    head = ["row", "paper", "ours", "sd", "head parameters", "parameters", "train img/s", "s/img"]
    body = [_cells(table, label, [r for r in rows if r.label == label]) for label in table.rows]
    parts = [
        f"# {table.title}",
        ours,
        *(["\n".join(notes)] if notes else []),
        markdown_table(head, body),
        "mIoU in percent from one confusion matrix; sd over seeds; speeds on a shared machine.",
        markdown_table(
            ["the paper's order", "paper", "ours", "se", ""],
            [_claim(table, pair, rows) for pair in table.claims],
        ),
        "An order holds or is reversed where Student's t over the seeds says so at 95 %.",
    ]
    return "\n\n".join(parts) + "\n"


def _cells(table: NetworkTable, label: str, rows: Sequence[NetworkRow]) -> list[str]:
    scores = [100 * row.miou for row in rows]
    speeds = [r.training_images_per_second for r in rows if r.training_images_per_second]
    times = [r.seconds_per_image for r in rows]
    return [
        label,
        format_number(table.rows[label].published, ".2f"),
        format_number(float(np.mean(scores)) if scores else None, ".2f"),
        format_number(float(np.std(scores, ddof=1)) if len(scores) > 1 else None, ".2f"),
        f"{rows[0].head_parameters:,}" if rows else "",
        f"{rows[0].parameters:,}" if rows else "",
        format_number(float(np.median(speeds)) if speeds else None, ".1f"),
        format_number(float(np.median(times)) if times else None, ".2f"),
    ]


def _claim(table: NetworkTable, pair: tuple[str, str], rows: Sequence[NetworkRow]) -> list[str]:
    better, worse = pair
    published = [table.rows[label].published for label in pair]
    gap = "" if None in published else f"{published[0] - published[1]:+.2f}"  # type: ignore[operator]
    scores = {(row.label, row.seed): 100 * row.miou for row in rows}
    seeds = sorted({seed for label, seed in scores if label == better})
    gaps = [scores[better, s] - scores[worse, s] for s in seeds if (worse, s) in scores]
    mean = float(np.mean(gaps)) if gaps else nan
    error = float(np.std(gaps, ddof=1)) / sqrt(len(gaps)) if len(gaps) > 1 else nan
    return [
        f"{better} > {worse}",
        gap,
        format_number(mean, "+.2f"),
        format_number(error, ".2f"),
        verdict(mean, error, len(gaps), of="seed"),
    ]


def write_curves(folder: Path, table: NetworkTable, runs: Sequence[tuple[str, int, Path]]) -> Path:
    """Write NAME-curve.csv, the mIoU of every evaluated epoch of each run: label, seed, folder."""
    path = folder / f"{table.name}-curve.csv"
    with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "seed", "epoch", "step", "miou"])
        for label, seed, home in runs:
            history = home / HISTORY
            for entry in read_json(history) if history.is_file() else []:
                writer.writerow([label, seed, *(entry[key] for key in ("epoch", "step", "miou"))])
    return path
