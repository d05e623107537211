"""Figure 11 of the GDC paper: feature vectors while the network is optimized, dilated against GDC.

The paper collects the vectors of two positions over 50 steps, embeds them by t-SNE, sees that those
of GDC are more diverse, and concludes that this prevents overfitting. Beside that the classes are
shown at four moments, and both are measured over all images that are given: movement of the vectors
over the steps, and how pure their neighbourhoods are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from saccade.batch import Report as ReportStage
from saccade.batch import Worker, run_batch
from saccade.errors import InputError
from saccade.experiments.engine.load_samples import LoadedSample, load_sample
from saccade.experiments.engine.plotting import to_image_pixels
from saccade.experiments.engine.report import Report, machine, markdown_table, write_json
from saccade.experiments.engine.samples import Sample
from saccade.experiments.gdc.figure11_plot import Drawing, Panels, draw
from saccade.experiments.gdc.image_tables import GDC, preset_of
from saccade.experiments.gdc.record_features import (
    FitInputs,
    Pixels,
    choose_pixels,
    prepare_fit,
    record_features,
)
from saccade.experiments.gdc.separation import Movement, Vectors, embed, knn_purity, movement
from saccade.interactive.run import one_thread

BRANCHES = ("dilated 6", GDC)
MOMENTS = (0, 10, 25, 50)
PER_CLASS = 200


@dataclass(frozen=True)
class Measured:
    """One branch on one image."""

    image: str
    branch: str
    purity: tuple[float, ...]  # at MOMENTS
    movement: Movement


def run_figure11(
    samples: Sequence[Sample],
    folder: Path,
    *,
    seed: int,
    progress: Callable[[float, str], None],
) -> Report:
    """Measure all images, draw the first.

    Args:
        samples: at least one.
        folder: where gdc-figure11.png and .json go; must exist.
        seed: of fits, sampled positions, chosen pixels and embeddings.
        progress: told how many images are finished, and what is being done.

    Raises:
        InputError: matplotlib or scikit-learn are not installed, or no image can be used.
        KeyboardInterrupt: Ctrl-C; nothing is written but the picture.
    """
    import torch

    picture = folder / "gdc-figure11.png"

    def make_worker() -> Worker[Sample, tuple[Measured, ...]]:
        def work(sample: Sample, report: ReportStage) -> tuple[Measured, ...]:
            with one_thread(torch.device("cpu")):
                target = picture if sample is samples[0] else None
                return measure_sample(sample, seed, report, target)

        return work

    outcome = run_batch(samples, make_worker, name=lambda s: s.stem, progress=progress)
    if outcome.interrupted:
        raise KeyboardInterrupt
    if not outcome.done:
        raise InputError(next(iter(outcome.failed.values())))
    measured = [one for sample in outcome.done.values() for one in sample]
    numbers = folder / "gdc-figure11.json"
    write_json(numbers, _content(measured, seed))
    failed = {sample.stem: why for sample, why in outcome.failed.items()}
    files = [path for path in (picture, numbers) if path.is_file()]
    return Report(_table(measured), tuple(files), failed)


def measure_sample(
    sample: Sample, seed: int, report: ReportStage, picture: Path | None
) -> tuple[Measured, ...]:
    """Fit every branch to one image and measure it.

    Args:
        sample: the image.
        seed: see `run_figure11`.
        report: told the fraction that is done.
        picture: the PNG to draw; None draws nothing.

    Raises:
        InputError: the image cannot be used.
    """
    loaded = load_sample(sample)
    inputs = prepare_fit(loaded, preset_of(GDC), seed)
    pixels = choose_pixels(inputs, PER_CLASS, np.random.default_rng(seed))
    two = two_positions(inputs)
    positions = np.concatenate([pixels.positions, two])
    measured, panels = [], []
    for part, branch in enumerate(BRANCHES):
        recording = record_features(
            inputs,
            preset_of(branch),
            positions,
            seed,
            progress=_part_of(report, part, branch),
        )
        measured.append(_measure(sample.stem, branch, recording, pixels))
        if picture is not None:
            panels.append(_embed(measured[-1], recording, pixels, seed))
    if picture is not None:
        draw(_drawing(loaded, inputs, pixels, two, panels), picture)
    return tuple(measured)


def two_positions(inputs: FitInputs) -> NDArray[np.int64]:
    """(2, 2) of (y, x): the unlabelled pixel deepest inside the last class, and the first."""
    positions = []
    for k in (inputs.truth.max(), inputs.truth[inputs.truth >= 0].min()):
        free = (inputs.truth == k) & (inputs.labels == inputs.classes)
        if not free.any():  # all of the class is labelled
            free = inputs.truth == k
        depth = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
        positions.append(np.unravel_index(int(depth.argmax()), depth.shape))
    return np.array(positions, np.int64)


def _part_of(report: ReportStage, part: int, branch: str) -> Callable[[float], None]:
    return lambda fraction: report((part + fraction) / len(BRANCHES), branch)


def _drawing(
    loaded: LoadedSample,
    inputs: FitInputs,
    pixels: Pixels,
    two: NDArray[np.int64],
    panels: Sequence[Panels],
) -> Drawing:
    crosses = to_image_pixels(two, inputs.labels.shape, loaded.image.shape[:2])
    return Drawing(loaded.image, pixels, crosses, tuple(panels), MOMENTS)


def _measure(image: str, branch: str, recording: Vectors, pixels: Pixels) -> Measured:
    chosen = recording[:, : len(pixels.positions)]
    purity = tuple(knn_purity(chosen[step], pixels.truth) for step in MOMENTS)
    return Measured(image, branch, purity, movement(chosen))


def _embed(measured: Measured, recording: Vectors, pixels: Pixels, seed: int) -> Panels:
    count = len(pixels.positions)
    steps, two = recording.shape[0], recording[:, count:]
    flat = embed(two.reshape(steps * two.shape[1], -1), seed)
    return Panels(
        measured.branch,
        flat.reshape(steps, two.shape[1], 2),
        tuple(embed(recording[step, :count], seed) for step in MOMENTS),
        measured.purity,
        measured.movement,
    )


def _table(measured: Sequence[Measured]) -> str:
    """Means over images with their standard errors, and the paired difference."""
    names = [f"purity, step {step}" for step in MOMENTS] + ["spread", "jump"]
    values = {b: np.array([_numbers(m) for m in measured if m.branch == b]) for b in BRANCHES}
    gap = values[GDC] - values[BRANCHES[0]]
    columns = [*BRANCHES, "GDC minus dilated"]
    body = []
    for i, name in enumerate(names):
        cells = [_mean(v[:, i], ".3f") for v in values.values()]
        body.append([name, *cells, _mean(gap[:, i], "+.3f")])
    count = len(gap)
    head = (
        f"{count} image{'s' * (count > 1)}, mean ± standard error. Purity: share of the 10 nearest "
        "vectors of other pixels\nwith the same ground truth; spread, jump: movement of a pixel's "
        "vector over the 50 steps, from its mean\nand from step to step, in units of how pixels "
        "differ. Vectors: what the classifier reads, of one draw.\n\n"
    )
    return head + markdown_table(["", *columns], body) + "\n"


def _numbers(m: Measured) -> list[float]:
    return [*m.purity, m.movement.spread, m.movement.jump]


def _mean(values: NDArray[np.float64], form: str) -> str:
    if len(values) < 2:
        return format(values.mean(), form)
    return f"{values.mean():{form}} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def _content(measured: Sequence[Measured], seed: int) -> dict[str, Any]:
    rows = [
        {
            "image": m.image,
            "branch": m.branch,
            **{f"purity_{step}": round(p, 4) for step, p in zip(MOMENTS, m.purity, strict=True)},
            "spread": round(m.movement.spread, 4),
            "jump": round(m.movement.jump, 4),
        }
        for m in measured
    ]
    return {"experiment": "gdc-figure11", "seed": seed, "machine": machine(), "images": rows}
