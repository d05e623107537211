"""How well a segmentation's uncertainty finds its own errors, and how calibrated it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from benchmarks.harness.datasets import UNKNOWN, UNLABELED, Pair
from benchmarks.harness.folds import read_folds, unseen
from saccade.evaluation.calibration import (
    calibration_error,
    error_auroc,
    reliability_counts,
    reliability_curve,
    sparsification_error,
)
from saccade.interactive.averaging import average_draws
from saccade.interactive.presets import preset_named
from saccade.interactive.refinement import apply_temperature
from saccade.interactive.segmenter import ScribbleSegmenter

BINS = 15
# On top of what the preset does: would that be calibrated? The second undoes the preset's own.
TEMPERATURES = (1.0, 1 / preset_named("fast").temperature, 1.25, 1.5, 2.0)
Map = NDArray[np.float32]


@dataclass(frozen=True)
class Measured:
    """One image: how its probabilities are calibrated, how well each measure finds the errors."""

    image: str
    wrong: float  # share of wrong pixels
    reliability: NDArray[np.float64]  # (temperatures, 3, BINS) of `reliability_counts`
    auroc: Mapping[str, float]
    ause: Mapping[str, float]


def measure(pair: Pair, seed: int) -> Measured:
    """Segment an image from its strokes; pixels with a stroke or without a truth stay out."""
    preset = unseen(preset_named("fast"), pair.stem, read_folds())
    segmenter = ScribbleSegmenter(preset, seed=seed).fit(pair.image, pair.strokes)
    scored = (pair.strokes == UNLABELED) & (pair.truth != UNKNOWN)
    wrong = (segmenter.predict() != pair.truth)[scored]
    uncertain = {name: values[scored] for name, values in measures(segmenter).items()}
    probabilities = torch.from_numpy(segmenter.predict_proba()[:, scored])
    return Measured(
        image=pair.stem,
        wrong=float(wrong.mean()),
        reliability=np.stack(
            [
                reliability_counts(
                    apply_temperature(probabilities, t).amax(0).numpy(), ~wrong, BINS
                )
                for t in TEMPERATURES
            ]
        ),
        auroc={name: error_auroc(values, wrong) for name, values in uncertain.items()},
        ause={name: sparsification_error(values, wrong) for name, values in uncertain.items()},
    )


def measures(segmenter: ScribbleSegmenter) -> dict[str, Map]:
    """Measures of uncertainty, each (H, W), larger where less sure.

    ``uncertainty`` is what a user gets. ``entropy`` and ``margin`` (ilastik's, 1 - (p1 - p2)) are
    of the final probabilities. ``spread`` is the standard deviation over draws of the sampling
    positions, of the fitted network alone, and ``network`` the entropy of its mean. ``both`` is the
    mean of uncertainty and margin: uncertainty before and after the regions were formed.
    """
    result = segmenter.result
    first, second = np.partition(result.probabilities, -2, axis=0)[-2:][::-1]
    margin = 1 - (first - second)
    mean, spread = over_draws(segmenter)
    return {
        "uncertainty": result.uncertainty,
        "entropy": _entropy(result.probabilities),
        "margin": margin,
        "both": (result.uncertainty + margin) / 2,
        "spread": spread,
        "network": _entropy(mean),
    }


def over_draws(segmenter: ScribbleSegmenter) -> tuple[Map, Map]:
    """Mean (K, H, W) and spread (H, W) over draws of the fitted network, before all else."""
    image, fitted = segmenter.prepared, segmenter._last  # no name leads to the fit
    assert image is not None
    assert fitted is not None
    averaged = average_draws(
        fitted.net,
        image.inputs[:, : fitted.net.fuse.in_channels],
        torch.arange(len(fitted.result.classes)),
        draws=segmenter.preset.draws,
        average=segmenter.preset.average,
        generator=torch.Generator().manual_seed(segmenter.seed),
    )
    maps = torch.cat([averaged.mean, averaged.spread[None]])[None]
    full = F.interpolate(maps, image.size, mode="bilinear", align_corners=False)[0].numpy()
    return full[:-1], full[-1]


def _entropy(probabilities: Map) -> Map:
    p = probabilities.clip(1e-7, 1)
    entropy: Map = -(p * np.log(p)).sum(0)
    return entropy


@dataclass(frozen=True)
class Diagram:
    """A reliability diagram over the pixels of a set."""

    errors: tuple[float, ...]  # expected calibration error at each of TEMPERATURES
    points: tuple[tuple[float, float], ...]  # mean confidence and accuracy, bins with pixels only
    shares: tuple[float, ...]  # of the pixels, for each point


def diagram(measured: Sequence[Measured]) -> Diagram:
    """The diagram of a set at temperature 1: every pixel counts the same."""
    counts = np.sum([j.reliability for j in measured], axis=0)
    confidence, accuracy, share = reliability_curve(counts[0])
    filled = share > 0
    points = zip(confidence[filled].tolist(), accuracy[filled].tolist(), strict=True)
    errors = tuple(calibration_error(c) for c in counts)
    return Diagram(errors, tuple(points), tuple(share[filled].tolist()))


@dataclass(frozen=True)
class Row:
    """One measure on one set; means over the images that have right and wrong pixels."""

    set: str
    measure: str
    images: int
    auroc: float
    auroc_error: float
    against: float  # AUROC minus that of the margin
    against_error: float
    ause: float
    ause_error: float


def summarize(name: str, measured: Sequence[Measured], reference: str = "margin") -> list[Row]:
    """The table of one set; errors are standard errors over images."""
    rows = []
    for measure in measured[0].auroc:
        auroc = np.array([j.auroc[measure] for j in measured])
        known = ~np.isnan(auroc)
        difference = auroc - np.array([j.auroc[reference] for j in measured])
        ause = np.array([j.ause[measure] for j in measured])
        rows.append(
            Row(
                set=name,
                measure=measure,
                images=int(known.sum()),
                auroc=_mean(auroc[known]),
                auroc_error=_standard_error(auroc[known]),
                against=_mean(difference[known]),
                against_error=_standard_error(difference[known]),
                ause=_mean(ause[known]),
                ause_error=_standard_error(ause[known]),
            )
        )
    return rows


def as_lines(name: str, measured: Measured) -> list[dict[str, object]]:
    """For CSV, one line for each measure."""
    return [
        {
            "set": name,
            "image": measured.image,
            "wrong": measured.wrong,
            "measure": measure,
            "auroc": measured.auroc[measure],
            "ause": measured.ause[measure],
        }
        for measure in measured.auroc
    ]


def table(rows: Sequence[Row]) -> str:
    """The aligned table."""
    lines = ["set     measure        n   AUROC (se)     minus margin (se)   AUSE (se)"]
    for r in rows:
        lines.append(
            f"{r.set:7} {r.measure:12} {r.images:3d}   {r.auroc:.3f} ({r.auroc_error:.3f})"
            f"  {r.against:+.3f} ({r.against_error:.3f})      {r.ause:.4f} ({r.ause_error:.4f})"
        )
    return "\n".join(lines)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")
