"""A page on pseudo labels and the network trained from them: what, how sure, what was ignored."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.annotations import read_any_strokes
from saccade.batch import Outcome
from saccade.data.sets import read_values
from saccade.data.specs import IGNORE, LabelSpec
from saccade.evaluation import iou_per_class
from saccade.formats.html_page import chip, meter, picture, table, write_page
from saccade.images import read_any_file
from saccade.training.evaluate import Scores
from saccade.weak.stroke_labeling import StrokeLabeling
from saccade.weak.stroke_masks import Job, Record

_WIDTH = 360


@dataclass(frozen=True)
class Trained:
    """What the page says of a network.

    Attributes:
        history: mIoU in [0, 1] after each evaluated epoch, as (epoch, mIoU).
        scores: of the last evaluation.
        truth: whether that was against masks that people drew; else it is against pseudo masks.
        network: one line on it.
        pictures: (H, W, 3) uint8 of predictions.
    """

    history: Sequence[tuple[int, float]]
    scores: Scores | None
    truth: bool
    network: str
    pictures: Sequence[NDArray[np.uint8]] = ()


def write_report(
    path: Path,
    title: str,
    jobs: Sequence[Job],
    outcome: Outcome[Job, Record],
    spec: LabelSpec,
    *,
    labeling: StrokeLabeling,
    trained: Trained | None = None,
    remarks: Sequence[str] = (),
    shown: int = 6,
) -> None:
    """Write one HTML file with everything in it, pictures too.

    Args:
        path: of the page.
        title: of the data.
        jobs: all images.
        outcome: what became of them.
        spec: the classes.
        labeling: how strokes became masks.
        trained: the network, where there is one.
        remarks: lines on the data that should not be missed.
        shown: pictures of unsure and of ordinary masks, each.
    """
    records = sorted(outcome.records.values(), key=lambda record: record.confidence)
    by_name = {job.image.stem: job for job in jobs}
    parts = [_head(title, records, outcome, labeling.confidence)]
    if remarks:
        lines = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
        parts.append(f"<h2>Remarks</h2><ul>{lines}</ul>")
    if trained is not None:
        parts.append(_network(trained, spec))
    parts.append(_classes(records, spec))
    if records:
        middle = records[len(records) // 2 :][:shown]
        parts.append(_gallery("Least sure", records[:shown], by_name, spec, labeling))
        if len(records) > shown:
            parts.append(_gallery("Ordinary", middle, by_name, spec, labeling))
    if outcome.failed:
        rows = [(escape(job.image.name), escape(why)) for job, why in outcome.failed.items()]
        parts.append("<h2>Not labelled</h2>" + table(("image", "why"), rows))
    write_page(path, f"{title}: pseudo labels", parts)


def _head(
    title: str, records: Sequence[Record], outcome: Outcome[Job, Record], confidence: float
) -> str:
    pixels = sum(r.pixels for r in records) or 1
    ignored = sum(r.ignored for r in records) / pixels
    drawn = sum(sum(r.drawn.values()) for r in records) / pixels
    seconds = [r.seconds for r in records] or [0.0]
    sure = float(np.mean([r.confidence for r in records])) if records else 0.0
    facts = [
        ("images labelled", f"{len(records)}"),
        ("not labelled", f"{len(outcome.failed)}"),
        ("pixels with strokes", f"{100 * drawn:.2f} %"),
        (f"pixels ignored, less than {confidence:g} sure", f"{100 * ignored:.1f} %"),
        ("mean confidence", f"{sure:.3f}"),
        ("seconds per image, median", f"{float(np.median(seconds)):.2f}"),
    ]
    return f"<h1>{escape(title)}</h1><p class=soft>Pseudo labels from strokes</p>" + table(
        (), facts
    )


def _classes(records: Sequence[Record], spec: LabelSpec) -> str:
    total = sum(r.pixels - r.ignored for r in records) or 1
    rows = []
    for index, (name, color) in enumerate(zip(spec.names, spec.colors, strict=True)):
        pixels = sum(r.classes.get(index, 0) for r in records)
        drawn = sum(r.drawn.get(index, 0) for r in records)
        images = sum(index in r.classes for r in records)
        rows.append(
            (
                chip(color) + escape(name),
                f"{images}",
                f"{drawn:,}",
                f"{pixels:,}",
                f"{100 * pixels / total:.1f} %",
                meter(pixels / total),
            )
        )
    head = ("class", "images", "pixels drawn", "pixels labelled", "share", "")
    return "<h2>Classes</h2>" + table(head, rows)


def _network(trained: Trained, spec: LabelSpec) -> str:
    against = "ground truth" if trained.truth else "pseudo masks that were held out, not truth"
    parts = [f"<h2>Network</h2><p>{escape(trained.network)}</p>"]
    if trained.scores is not None:
        scores = trained.scores
        parts.append(
            f"<p>mIoU <strong>{100 * scores.miou:.2f} %</strong>, accuracy "
            f"{100 * scores.accuracy:.2f} %, on {scores.images} images against {against} "
            f"({escape(str(scores.protocol))}).</p>"
        )
        ious = iou_per_class(scores.matrix)
        rows = [
            (chip(color) + escape(name), "" if iou != iou else f"{100 * iou:.1f}")
            for name, color, iou in zip(spec.names, spec.colors, ious, strict=True)
        ]
        parts.append(table(("class", "IoU, %"), rows))
    if trained.history:
        rows = [(str(epoch), f"{100 * miou:.2f}") for epoch, miou in trained.history]
        parts.append(table(("epoch", "mIoU, %"), rows[-10:]))
    if trained.pictures:
        figures = "".join(f"<figure>{picture(p)}</figure>" for p in trained.pictures)
        parts.append(f"<h2>Predictions</h2><div class=grid>{figures}</div>")
    return "".join(parts)


def _gallery(
    title: str,
    records: Sequence[Record],
    jobs: dict[str, Job],
    spec: LabelSpec,
    labeling: StrokeLabeling,
) -> str:
    figures = []
    for record in records:
        job = jobs[record.name]
        caption = (
            f"{escape(record.name)}: confidence {record.confidence:.3f}, "
            f"{100 * record.ignored / record.pixels:.1f} % ignored"
        )
        figures.append(
            f"<figure>{picture(labeled_picture(job, spec, labeling))}"
            f"<figcaption>{caption}</figcaption></figure>"
        )
    note = "<p class=soft>Strokes, and the mask they gave; hatched pixels are ignored.</p>"
    return f"<h2>{title}</h2>{note}<div class=grid>{''.join(figures)}</div>"


def labeled_picture(job: Job, spec: LabelSpec, labeling: StrokeLabeling) -> NDArray[np.uint8]:
    """Strokes over the image, and beside it the mask, hatched where it is ignored.

    Returns:
        (h, 2 w, 3) uint8, w at most 360 pixels.
    """
    image = read_any_file(job.image, channels=labeling.channels, window=labeling.window).pixels
    strokes = read_any_strokes(
        job.strokes, shape=image.shape[:2], names=spec.names, image_name=job.entry
    )
    drawn = np.where(strokes.labels == strokes.unlabeled, IGNORE, strokes.labels)
    step = max(1, -(-image.shape[1] // _WIDTH))
    # A pixel wider on either side, as strokes are thin and the picture is small.
    drawn = ndimage.minimum_filter(drawn, 2 * step + 1)
    image, drawn = image[::step, ::step], drawn[::step, ::step]
    mask = read_values(job.mask)[::step, ::step]
    return np.concatenate([_painted(image, drawn, spec, 0.0), _painted(image, mask, spec, 1.0)], 1)


def _painted(
    image: NDArray[np.uint8], labels: NDArray[Any], spec: LabelSpec, hatch: float
) -> NDArray[np.uint8]:
    table = np.zeros((256, 3), np.float32)
    table[: len(spec.names)] = spec.colors
    known = np.expand_dims(labels != IGNORE, 2)
    strength = 0.9 if hatch == 0 else 0.6
    painted = np.where(known, (1 - strength) * image + strength * table[labels], image)
    y, x = np.indices(labels.shape)
    lines = np.expand_dims((x + y) % 8 < 3, 2) & ~known
    painted = np.where(lines, (1 - hatch) * painted + hatch * 230, painted)
    found: NDArray[np.uint8] = np.rint(painted).astype(np.uint8)
    return found
