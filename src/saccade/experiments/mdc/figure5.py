"""MDC paper, figure 5 and section 4.3.1: what dilations localize, and what fusion does."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from saccade.data.sets import LabeledSet
from saccade.data.specs import IGNORE
from saccade.experiments.engine.labels import Progress
from saccade.experiments.engine.network_config import NetworkPlan
from saccade.experiments.engine.report import Report, machine, markdown_table, write_json
from saccade.experiments.mdc.map_labels import classifier_folder, classifier_settings, make_maps
from saccade.files import atomic_write
from saccade.formats.overlay import write_picture
from saccade.nn.dilated import DILATIONS
from saccade.training.inputs import open_sets
from saccade.weak.fusion import Fusion, object_regions
from saccade.weak.localization import read_maps
from saccade.weak.sheet import draw_sheet, example_rows

SHARES = tuple(round(0.1 * k, 1) for k in range(1, 10))
FIXED = 0.3
"""The paper's threshold, as a share of the map's maximum."""

WAYS: dict[str, Fusion | int] = {
    **{f"d = {dilation}": block for block, dilation in enumerate(DILATIONS)},
    "average of all": "average",
    "fusion": "anti-noise",
}


@dataclass(frozen=True)
class PixelCounts:
    """Pixels of each class, (K,) each: localized and of the class; localized; of the class."""

    hits: NDArray[np.int64]
    localized: NDArray[np.int64]
    truth: NDArray[np.int64]

    def means(self) -> tuple[float, float, float]:
        """Recall, precision and their harmonic mean, each the mean over the classes there are."""
        occurs = self.truth > 0
        recall = self.hits[occurs] / self.truth[occurs]
        precision = self.hits[occurs] / np.maximum(self.localized[occurs], 1)
        both = 2 * self.hits[occurs] / np.maximum(self.localized[occurs] + self.truth[occurs], 1)
        return float(recall.mean()), float(precision.mean()), float(both.mean())


def run_figure5(plan: NetworkPlan, folder: Path, *, progress: Progress, rows: int = 8) -> Report:
    """Train the classifier, write its maps and the sheet, measure them against the masks.

    Args:
        plan: data, backbone, weights and schedule.
        folder: must exist; shared with the tables, the classifier is trained once.
        progress: told what is being done.
        rows: of the sheet.

    Raises:
        InputError: the classifier in FOLDER was trained with other settings.
    """
    training, _ = open_sets(plan.data)
    home = classifier_folder(folder / "labels", DILATIONS)
    dataset, present = make_maps(training, plan, home, DILATIONS, progress)
    maps = home / "maps"
    sheet = draw_sheet(dataset, maps, example_rows(dataset, present, rows), truth=True)
    paths = [folder / f"mdc-figure5{suffix}" for suffix in (".jpg", ".md", ".json")]
    write_picture(paths[0], sheet)
    counted = measure_maps(dataset, maps, progress)
    text = _markdown(plan, dataset, counted)
    with atomic_write(paths[1]) as path:
        path.write_text(text, encoding="utf-8")
    plain = [
        dict(zip(("way", "share", "recall", "precision", "f1"), (*key, *one.means()), strict=True))
        for key, one in counted.items()
    ]
    content = {"settings": classifier_settings(plan, DILATIONS), "machine": machine()}
    write_json(paths[2], {**content, "images": len(dataset.examples), "rows": plain})
    return Report(text, tuple(paths))


def measure_maps(
    dataset: LabeledSet, maps: Path, progress: Progress
) -> dict[tuple[str, float], PixelCounts]:
    """Count pixels of object regions against the masks, for every way and threshold."""
    classes = len(dataset.spec.names)
    counts = {(way, s): np.zeros((3, classes), np.int64) for way in WAYS for s in SHARES}
    for index, example in enumerate(dataset.examples):
        truth, maps_of_image = dataset.labels(index), read_maps(maps / f"{example.name}.npz")
        for way, fusion in WAYS.items():
            fused = torch.from_numpy(maps_of_image.fused(fusion))
            for share in SHARES:
                regions = object_regions(fused, share).numpy() & (truth != IGNORE)
                for place, value in enumerate(maps_of_image.classes):
                    here = truth == value
                    region = regions[place]
                    counts[way, share][:, value] += (
                        int((region & here).sum()),
                        int(region.sum()),
                        int(here.sum()),
                    )
        progress(0, f"measuring, {index + 1} of {len(dataset.examples)}")
    return {key: PixelCounts(*rows) for key, rows in counts.items()}


def _markdown(
    plan: NetworkPlan, dataset: LabeledSet, counted: dict[tuple[str, float], PixelCounts]
) -> str:
    body = []
    for way in WAYS:
        fixed = counted[way, FIXED].means()
        best = max(SHARES, key=lambda share: counted[way, share].means()[2])
        cells = [f"{100 * value:.1f}" for value in (*fixed, counted[way, best].means()[2])]
        body.append([way, *cells, f"{best:.1f}"])
    head = ["map", "recall", "precision", "F1", "best F1", "at share"]
    table = markdown_table(head, body)
    verdicts = markdown_table(["the paper", "ours"], _verdicts(counted))
    backbone = plan.backbone or "vgg16"
    return (
        "# MDC paper, figure 5 and section 4.3.1: localization maps against masks\n\n"
        f"{dataset.title}, {len(dataset.examples)} training images, {backbone}, weights "
        f"{Path(plan.weights).name}, schedule `{plan.schedule}`"
        f"{f' with {plan.epochs} epochs' if plan.epochs else ''}"
        f"{', the backbone frozen' if plan.freeze else ''}, one classifier. Percent, means "
        "over the classes; regions are where a map is at least 0.3 of its maximum; the best F1 is "
        "that of the best threshold of 0.1 to 0.9.\n\n"
        f"{table}\n\n{verdicts}\n"
    )


def _verdicts(counted: dict[tuple[str, float], PixelCounts]) -> list[list[str]]:
    at = {way: counted[way, FIXED].means() for way in WAYS}
    first, last = at["d = 1"], at["d = 9"]
    claims = [
        ("larger dilations find more of the object", last[0] > first[0]),
        ("d = 1 is precise but misses most", first[1] > last[1] and first[0] < 0.5),
        ("fusion finds more than d = 1", at["fusion"][0] > first[0]),
        ("fusion is more precise than d = 9", at["fusion"][1] > last[1]),
        ("fusion beats the average of all (F1)", at["fusion"][2] > at["average of all"][2]),
        ("fusion beats every single dilation (F1)", _beats_all(at)),
    ]
    return [[claim, "as in the paper" if holds else "not confirmed"] for claim, holds in claims]


def _beats_all(at: dict[str, tuple[float, float, float]]) -> bool:
    return all(at["fusion"][2] > at[way][2] for way in at if way.startswith("d ="))
