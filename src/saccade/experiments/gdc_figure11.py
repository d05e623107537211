"""Figure 11 of the GDC paper: feature vectors while the network is optimised, dilated against GDC.

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

from saccade.experiments.gdc_tables import GDC, preset_of
from saccade.experiments.plot_figure11 import Drawing, Panels, draw
from saccade.experiments.plotting import in_image
from saccade.experiments.reading import load
from saccade.experiments.recording import Pixels, Prepared, choose_pixels, prepare, record
from saccade.experiments.report import aligned, machine, write_json
from saccade.experiments.samples import Sample
from saccade.experiments.separation import Movement, Vectors, embed, knn_purity, movement
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


Progress = Callable[[float, str], None]
"""Told how many images are done, and which is at work."""


def run_figure11(
    samples: Sequence[Sample], folder: Path, *, seed: int, progress: Progress
) -> tuple[str, list[Path]]:
    """Measure all images, draw the first.

    Args:
        samples: at least one.
        folder: where gdc-figure11.png and .json go; must exist.
        seed: of fits, draws, chosen pixels and embeddings.
        progress: see `Progress`.

    Returns:
        The table of the numbers, and the paths written.

    Raises:
        InputError: an image cannot be used, or matplotlib or scikit-learn are not installed.
    """
    import torch

    measured: list[Measured] = []
    paths: list[Path] = []
    with one_thread(torch.device("cpu")):
        for done, sample in enumerate(samples):
            pair = load(sample)
            prepared = prepare(pair, preset_of(GDC), seed)
            pixels = choose_pixels(prepared, PER_CLASS, np.random.default_rng(seed))
            two = two_positions(prepared)
            places = np.concatenate([pixels.places, two])
            panels = []
            for part, branch in enumerate(BRANCHES):
                tell = _told(progress, done + part / len(BRANCHES), sample.stem, branch)
                recording = record(prepared, preset_of(branch), places, seed, progress=tell)
                measured.append(_measure(sample.stem, branch, recording, pixels))
                if done == 0:
                    panels.append(_embedded(measured[-1], recording, pixels, seed))
            if done == 0:
                crosses = in_image(two, prepared.labels.shape, pair.image.shape[:2])
                drawing = Drawing(pair.image, pixels, crosses, tuple(panels), MOMENTS)
                paths.append(draw(drawing, folder / "gdc-figure11.png"))
    paths.append(folder / "gdc-figure11.json")
    write_json(paths[-1], _content(measured, seed))
    return _table(measured), paths


def two_positions(prepared: Prepared) -> NDArray[np.int64]:
    """(2, 2) of (y, x): the unlabelled pixel deepest inside the last class, and the first."""
    places = []
    for k in (prepared.truth.max(), prepared.truth[prepared.truth >= 0].min()):
        free = (prepared.truth == k) & (prepared.labels == prepared.classes)
        if not free.any():  # all of the class is labelled
            free = prepared.truth == k
        depth = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
        places.append(np.unravel_index(int(depth.argmax()), depth.shape))
    return np.array(places, np.int64)


def _measure(image: str, branch: str, recording: Vectors, pixels: Pixels) -> Measured:
    chosen = recording[:, : len(pixels.places)]
    purity = tuple(knn_purity(chosen[step], pixels.truth) for step in MOMENTS)
    return Measured(image, branch, purity, movement(chosen))


def _embedded(measured: Measured, recording: Vectors, pixels: Pixels, seed: int) -> Panels:
    count = len(pixels.places)
    steps, two = recording.shape[0], recording[:, count:]
    flat = embed(two.reshape(steps * two.shape[1], -1), seed)
    return Panels(
        measured.branch,
        flat.reshape(steps, two.shape[1], 2),
        tuple(embed(recording[step, :count], seed) for step in MOMENTS),
        measured.purity,
        measured.movement,
    )


def _told(progress: Progress, before: float, stem: str, branch: str) -> Callable[[float], None]:
    return lambda fraction: progress(before + fraction / len(BRANCHES), f"{stem}: {branch}")


def _table(measured: Sequence[Measured]) -> str:
    """Means over images with their standard errors, and the paired difference."""
    names = [f"purity, step {step}" for step in MOMENTS] + ["spread", "jump"]
    values = {b: np.array([_numbers(m) for m in measured if m.branch == b]) for b in BRANCHES}
    gap = values[GDC] - values[BRANCHES[0]]
    columns = [*BRANCHES, "GDC minus dilated"]
    body = []
    for i, name in enumerate(names):
        cells = [_mean(v[:, i], ".3f") for v in (*values.values(),)]
        body.append([name, *cells, _mean(gap[:, i], "+.3f")])
    count = len(gap)
    head = (
        f"{count} image{'s' * (count > 1)}, mean ± standard error. Purity: share of the 10 nearest "
        "vectors of other pixels\nwith the same ground truth; spread, jump: movement of a pixel's "
        "vector over the 50 steps, from its mean\nand from step to step, in units of how pixels "
        "differ. Vectors: what the classifier reads, of one draw.\n\n"
    )
    return head + aligned(["", *columns], body) + "\n"


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
