"""Mean IoU on strokes of people (iseg) and on CamVid's validation, as the package answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from saccade.evaluation.metrics import confusion_matrix, mean_iou
from saccade.interactive.fusion import fuse_cues
from saccade.interactive.prepared import prepare_image
from saccade.models.fusion_net import CUE
from saccade.models.weights import Bundle
from scripts.train_bundled.bundles import cues_of
from scripts.train_bundled.strokes import draw_more

Pair = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]  # image, strokes, truth


@torch.no_grad()
def scores_of(
    bundle: Bundle, root: Path, only: frozenset[str], most: int, *, fused: bool = True
) -> dict[str, float]:
    """By what is scored, of the sets that are there.

    Args:
        bundle: the weights.
        root: of the data.
        only: stems of iseg; all of them where there is none.
        most: photographs of a set; 0 for all.
        fused: whether the fusion network answers; the network of the fit alone else.
    """
    scores: dict[str, float] = {}
    for kind in ("thin", "full", "dense"):
        if (root / f"iseg/scribbles_{kind}").is_dir():
            pairs = _pairs(root / "iseg", (f"scribbles_{kind}", "images", "masks"), only, most)
            scores[kind] = _mean_score(bundle, pairs, fused)
    if fused and (root / "iseg/scribbles_thin").is_dir():
        pairs = _pairs(root / "iseg", ("scribbles_thin", "images", "masks"), only, most)
        scores["thin and more"] = _mean_score(bundle, _with_more(pairs), fused)
    if fused and (root / "camvid/val_scribbles").is_dir():
        folders = ("val_scribbles", "val", "valannot")
        pairs = _pairs(root / "camvid", folders, frozenset(), most)
        matrix = np.sum([_confusion(bundle, pair, 11, fused) for pair in pairs], axis=0)
        scores["camvid"] = float(mean_iou(matrix))
    return {name: score for name, score in scores.items() if not np.isnan(score)}


def _pairs(
    root: Path, folders: tuple[str, str, str], only: frozenset[str], most: int
) -> Iterator[Pair]:
    strokes, images, masks = folders
    wanted = [p for p in sorted((root / strokes).iterdir()) if not only or p.stem in only]
    for path in islice(wanted, most or None):
        image = next((root / images).glob(path.stem + ".*"))
        mask = next((root / masks).glob(path.stem + ".*"))
        photo, drawn, truth = (np.array(Image.open(p)) for p in (image, path, mask))
        yield photo, drawn, truth


def _with_more(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The same with up to a dozen correct strokes added, always the same ones."""
    for number, (image, strokes, truth) in enumerate(pairs):
        yield image, draw_more(np.random.default_rng(number), truth, strokes), truth


def _mean_score(bundle: Bundle, pairs: Iterable[Pair], fused: bool) -> float:
    scores = [mean_iou(_confusion(bundle, pair, 2, fused)) for pair in pairs]
    return float(np.mean(scores)) if scores else float("nan")


def _confusion(bundle: Bundle, pair: Pair, classes: int, fused: bool) -> NDArray[Any]:
    image, strokes, truth = pair
    generator = torch.Generator().manual_seed(0)
    prepared = prepare_image(image[..., :3], bundle=bundle)
    cues, stroked = cues_of(prepared, strokes, classes, generator)
    if fused:
        members = bundle.ensemble
        encodings = [prepared.encoding(member) for member in members]
        p = fuse_cues(cues, stroked, classes, members, encodings)
    else:
        p = torch.full((classes, *cues.shape[2:]), -1e4)
        p[stroked] = cues[:, CUE["network"]]
    height, width = truth.shape
    mask = F.interpolate(p[None], (height, width), mode="bilinear")[0].argmax(0).numpy()
    return confusion_matrix(np.where(truth < classes, truth, 255), mask, classes)
