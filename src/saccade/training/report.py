"""A page on a run that ended: scores, curves, confusions, and what it does best and worst."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.data.sets import LabeledSet
from saccade.data.specs import IGNORE, LabelSpec
from saccade.evaluation.inference import Protocol, labels_of, predict_probabilities
from saccade.evaluation.report import plot_confusion, score_rows, write_scores
from saccade.formats.html_page import chip, image_file, meter, picture, table, write_page
from saccade.images import as_rgb
from saccade.images.network_input import as_colors
from saccade.models.checkpoint import Checkpoint, load_checkpoint
from saccade.training.checkpointing import BEST, LAST
from saccade.training.config import TrainConfig
from saccade.training.curves import CURVES, draw_curves, read_run
from saccade.training.evaluate import Scores, evaluate
from saccade.training.inputs import open_sets
from saccade.training.state import State

PAGE, CONFUSION = "report.html", "confusion.png"

_STYLE = """
.facts { display: flex; flex-wrap: wrap; gap: .4rem 2.4rem; margin: 1.2rem 0; }
.facts div { font-size: .85rem; color: var(--soft); }
.facts b { display: block; font-size: 1.5rem; font-weight: 600; color: var(--ink); }
td:first-child { white-space: nowrap; } .narrow { max-width: 640px; }
.sheet { background: #fff; border-radius: 4px; padding: .5rem; max-width: 100%; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: .6rem 0; font-size: .9rem; }
figure { margin-bottom: 1rem; } code { font-size: .9rem; overflow-wrap: anywhere; }
"""
_WIDTH = 340
_SHOWN = 3
_CONFUSED = 6


@dataclass(frozen=True)
class _Scored:
    """The checkpoint that is kept, and what it scores."""

    checkpoint: Checkpoint
    data: LabeledSet
    scores: Scores
    device: str


def write_report(
    folder: Path,
    config: TrainConfig,
    *,
    remarks: Sequence[str] = (),
    device: str = "cpu",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Path]:
    """Write report.html beside a run, with curves.png, confusion.png and scores of its best state.

    The best checkpoint, without a validation split the last one, is evaluated once more.

    Args:
        folder: of the run.
        config: of the run.
        remarks: lines on the data that should not be missed.
        device: to evaluate on.
        progress: told how many of how many images are evaluated.

    Returns:
        The files that were written.

    Raises:
        InputError: the run has no checkpoint, or images that cannot be read any more.
    """
    run = read_run(folder)
    name = BEST if (folder / BEST).is_file() else LAST
    checkpoint = load_checkpoint(folder / name, device=device)
    training, val = open_sets(config.data, config.supervision)
    written = [folder / CURVES] if draw_curves(folder / CURVES, run) else []
    title = training.title
    parts = [f"<h1>{escape(title)}</h1>", _subtitle(config, checkpoint, run)]
    scored = None
    if val is not None:
        protocol = Protocol(resize=config.augmentation.resize)
        scores = evaluate(checkpoint.net, val, protocol, device=device, progress=progress)
        scored = _Scored(checkpoint, val, scores, device)
        about = {"checkpoint": name, "data": title, "split": config.data.val}
        written += write_scores(folder, scores.matrix, val.spec.names, None, about)
        if plot_confusion(folder / CONFUSION, scores.matrix, val.spec.names):
            written.append(folder / CONFUSION)
    parts.append(_facts(training, scored, run))
    if remarks:
        lines = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
        parts.append(f"<h2>Remarks</h2><ul>{lines}</ul>")
    if (folder / CURVES) in written:
        parts.append(_figure(folder / CURVES, "Loss, scores and learning rate over the steps"))
    if scored is not None:
        parts += [*_classes(scored), *_predictions(scored)]
        if (folder / CONFUSION) in written:
            parts.append("<h2>Confusions</h2>" + _confused(scored))
            parts.append(_figure(folder / CONFUSION, "Confusions, rows are the truth", " narrow"))
    parts.append(_next(folder / name))
    write_page(folder / PAGE, f"{title}: training", parts, style=_STYLE)
    return [*written, folder / PAGE]


def _subtitle(config: TrainConfig, checkpoint: Checkpoint, run: State) -> str:
    network = config.network
    head = f"pyramid {network.pyramid}" if network.network == "deeplab" else network.network
    count = sum(p.numel() for p in checkpoint.net.parameters())
    steps = f"{run.step} steps of {config.optim.batch} images, {config.optim.optimizer}"
    return (
        f"<p class=soft>{escape(network.backbone)} with {escape(head)}, {count / 1e6:.1f} million "
        f"parameters; {steps}</p>"
    )


def _facts(training: LabeledSet, scored: _Scored | None, run: State) -> str:
    facts = [(f"{len(training.examples)}", "images to learn from")]
    if scored is not None:
        scores = scored.scores
        facts = [
            (f"{100 * scores.miou:.1f} %", "mIoU, mean over the classes"),
            (f"{100 * scores.accuracy:.1f} %", "of the pixels are right"),
            *facts,
            (f"{scores.images}", "images to score on"),
        ]
    best = max(run.history, key=lambda entry: entry["miou"] or 0.0, default=None)
    if best is not None:
        facts.append((f"{best['epoch']}", f"best epoch of {run.history[-1]['epoch']}"))
    return (
        f"<div class=facts>{''.join(f'<div><b>{b}</b>{escape(t)}</div>' for b, t in facts)}</div>"
    )


def _classes(scored: _Scored) -> list[str]:
    spec = scored.data.spec
    rows = []
    for row, color in zip(score_rows(scored.scores.matrix, spec.names), spec.colors, strict=True):
        cells = [_percent(row[key]) for key in ("iou", "recall", "precision", "share")]
        bar = meter(row["iou"] or 0.0)
        rows.append((chip(color) + escape(row["class"]), cells[0], bar, *cells[1:]))
    head = ("class", "IoU, %", "", "found, %", "right, %", "of the pixels, %")
    words = (
        "<p class=soft>IoU: what mask and prediction share, of what either covers. Found: pixels "
        "of the class that the network finds. Right: pixels called so that are of the class.</p>"
    )
    return ["<h2>Classes</h2>", table(head, rows), words]


def _confused(scored: _Scored) -> str:
    """The largest confusions in words."""
    matrix, names = scored.scores.matrix.astype(float), scored.data.spec.names
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    np.fill_diagonal(shares, 0)
    order = np.argsort(-shares, axis=None)[:_CONFUSED]
    places = [np.unravel_index(index, shares.shape) for index in order]
    lines = [
        f"<li>{100 * shares[y, x]:.0f} % of {escape(names[y])} is taken for {escape(names[x])}</li>"
        for y, x in places
        if shares[y, x] >= 0.01
    ]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _predictions(scored: _Scored) -> list[str]:
    ranked = sorted(scored.scores.each, key=lambda item: item[1])
    count = min(_SHOWN, max(1, len(ranked) // 2))
    groups = [("Worst predictions", ranked[:count])]
    if len(ranked) > 1:
        groups.append(("Best predictions", ranked[::-1][:count]))
    spec = scored.data.spec
    legend = "".join(
        f"<span>{chip(color)}{escape(name)}</span>"
        for name, color in zip(spec.names, spec.colors, strict=True)
    )
    parts = []
    for title, group in groups:
        parts.append(f"<h2>{title}</h2><p class=soft>Image, mask, prediction</p>")
        parts.append("" if title.startswith("Best") else f"<div class=legend>{legend}</div>")
        for index, score in group:
            name = scored.data.examples[index].name
            alt = f"{name}: image, mask and prediction"
            caption = f"{escape(name)}: mIoU {100 * score:.1f} % of this image"
            shown = picture(side_by_side(scored, index), alt)
            parts.append(f"<figure>{shown}<figcaption>{caption}</figcaption></figure>")
    return parts


def side_by_side(scored: _Scored, index: int) -> NDArray[np.uint8]:
    """Image, mask and prediction of an example, (h, 3 w + gaps, 3) uint8."""
    pixels, truth = scored.data.image(index), scored.data.labels(index)
    net, protocol = scored.checkpoint.net, scored.scores.protocol
    found = labels_of(predict_probabilities(net, pixels, protocol, scored.device))
    spec, image = scored.data.spec, as_colors(pixels)
    panels = [image, painted(image, truth, spec), painted(image, found, spec)]
    height = max(1, round(image.shape[0] * _WIDTH / image.shape[1]))
    size, gap = (_WIDTH, min(height, 3 * _WIDTH)), np.full((min(height, 3 * _WIDTH), 6, 3), 255)
    small = [np.asarray(Image.fromarray(as_rgb(panel)).resize(size)) for panel in panels]
    joined = np.concatenate([small[0], gap, small[1], gap, small[2]], 1)
    return np.asarray(joined, np.uint8)


def painted(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], spec: LabelSpec
) -> NDArray[np.uint8]:
    """The image in grey under the colors of its classes; grey alone where there is none.

    Args:
        image: (H, W, 3) uint8.
        labels: (H, W) class indices, 255 where there is none.
        spec: of the classes.

    Returns:
        (H, W, 3) uint8.
    """
    grey = np.repeat(image.mean(2, keepdims=True), 3, 2)
    table_of = np.zeros((256, 3), np.float32)
    table_of[: len(spec.names)] = spec.colors
    mixed = 0.3 * grey + 0.7 * table_of[labels]
    shown: NDArray[np.uint8] = np.where((labels == IGNORE)[..., None], grey, mixed).astype(np.uint8)
    return shown


def _figure(path: Path, alt: str, more: str = "") -> str:
    return f'<figure class="sheet{more}">{image_file(path, alt)}</figure>'


def _next(checkpoint: Path) -> str:
    lines = (
        f"saccade predict {checkpoint} photos/ -o masks/",
        f"saccade export {checkpoint} -o net.onnx",
    )
    items = "".join(f"<li><code>{escape(line)}</code></li>" for line in lines)
    return f"<h2>What to do with the network</h2><ul>{items}</ul>"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
