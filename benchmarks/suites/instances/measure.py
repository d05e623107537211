"""Masks of nuclei, their objects, and how these compare with the ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.harness.folds import Folds
from benchmarks.peers.random_forest import random_forest
from saccade.errors import InputError
from saccade.images import load_image
from saccade.objects import find_objects

UNLABELED = 255
PARTINGS = ("connected", "common", "ours")
_APART = 7  # pixels between two tops of the distance, as in scikit-image's gallery


@dataclass(frozen=True)
class Nuclei:
    """An image (H, W, 3), its strokes (H, W; 255 = unlabelled) and true objects (H, W; 0 none)."""

    stem: str
    image: NDArray[np.uint8]
    strokes: NDArray[np.int32]
    truth: NDArray[np.int32]


def load_nuclei(folder: Path, every: int = 1, limit: int | None = None) -> list[Nuclei]:
    """Read the images of a kind that have strokes, sorted by stem.

    Raises:
        InputError: the folder has none.
    """
    stems = sorted(path.stem for path in (folder / "scribbles").glob("*.png"))[::every][:limit]
    if not stems:
        raise InputError(f"{folder}: no images with scribbles/ there")
    return [
        Nuclei(
            stem,
            load_image(folder / "images" / f"{stem}.png"),
            _values(folder / "scribbles" / f"{stem}.png"),
            _values(folder / "instances" / f"{stem}.png"),
        )
        for stem in stems
    ]


def _values(path: Path) -> NDArray[np.int32]:
    with Image.open(path) as image:
        return np.asarray(image).astype(np.int32)


def mask_of(
    method: str, sample: Nuclei, seed: int, folds: Folds | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.float32] | None]:
    """The mask (H, W) of a method, and the probability (H, W) of it where there is one.

    `folds` has weights for images that the bundled ones have seen.

    Raises:
        InputError: an unknown method.
    """
    if method == "truth":
        return sample.truth > 0, None
    if method == "otsu":
        return otsu_mask(sample), None
    if method == "random-forest":
        strokes = sample.strokes.astype(np.uint8)
        return random_forest(sample.image, strokes, UNLABELED, seed=seed) == 1, None
    if not method.startswith("saccade:"):
        raise InputError(
            f"method '{method}': expected saccade:PRESET, otsu, random-forest or truth"
        )
    from benchmarks.peers.ours import preset_of
    from saccade import segment

    preset = preset_of(method.removeprefix("saccade:"), sample.stem, folds or {})
    result = segment(sample.image, sample.strokes, preset=preset, seed=seed, device="cpu")
    return result.labels == 1, result.probabilities[result.classes.index(1)]


def otsu_mask(sample: Nuclei) -> NDArray[np.bool_]:
    """Otsu's threshold of the grey image; the strokes say which side the nuclei are on."""
    from skimage.filters import threshold_otsu

    grey = sample.image.mean(-1)
    bright: NDArray[np.bool_] = grey > threshold_otsu(grey)
    nuclei, ground = sample.strokes == 1, sample.strokes == 0
    return bright if bright[nuclei].mean() >= bright[ground].mean() else ~bright


def objects_of(
    mask: NDArray[np.bool_],
    probability: NDArray[np.float32] | None,
    parting: str,
    min_area: int,
) -> NDArray[np.integer[Any]]:
    """The objects of a mask (H, W), numbered, by one of `PARTINGS`."""
    if parting == "common":
        return _without_small(common_watershed(mask), min_area)
    maps = None if probability is None else np.stack([1 - probability, probability])
    found = find_objects(mask.astype(np.uint8), maps, separate=parting == "ours", min_area=min_area)
    return found.labels


def common_watershed(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The watershed of the distance from its tops, as in scikit-image's gallery."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.measure import label
    from skimage.segmentation import watershed

    distance = ndimage.distance_transform_edt(mask)
    tops = np.zeros(mask.shape, dtype=bool)
    tops[tuple(peak_local_max(distance, min_distance=_APART, labels=label(mask)).T)] = True
    found: NDArray[np.int32] = watershed(-distance, label(tops), mask=mask)
    return found


def _without_small(labels: NDArray[np.int32], min_area: int) -> NDArray[np.int32]:
    keep = np.bincount(labels.ravel()) >= min_area
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0)[labels]


def measure(
    sample: Nuclei,
    mask: NDArray[np.bool_],
    probability: NDArray[np.float32] | None,
    parting: str,
    min_area: int,
) -> dict[str, float]:
    """IoU of the mask, F1 of its objects and the relative error of their number."""
    found = objects_of(mask, probability, parting, min_area)
    nuclei = sample.truth > 0
    union = np.count_nonzero(mask | nuclei)
    true = len(np.unique(sample.truth[nuclei]))
    return {
        "mask": np.count_nonzero(mask & nuclei) / max(1, union),
        "f1": f1_of_objects(found, sample.truth),
        "count_error": abs(int(found.max()) - true) / max(1, true),
    }


def f1_of_objects(found: NDArray[Any], truth: NDArray[Any], least: float = 0.5) -> float:
    """F1 of objects (H, W; 0 none) whose IoU with a true one is above `least`, at least .5.

    Above .5 no two can match the same, so that nothing needs to be assigned.
    """
    pairs, areas = np.unique(np.stack([found.ravel(), truth.ravel()]), axis=1, return_counts=True)
    own, own_areas = np.unique(found, return_counts=True)
    real, real_areas = np.unique(truth, return_counts=True)
    sizes = (dict(zip(own, own_areas, strict=True)), dict(zip(real, real_areas, strict=True)))
    hits = 0
    for (one, other), area in zip(pairs.T, areas, strict=True):
        union = sizes[0][one] + sizes[1][other] - area
        hits += bool(one and other and area / union > least)
    total = np.count_nonzero(own) + np.count_nonzero(real)
    return 2 * hits / total if total else 1.0


def summarize(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Means over the images, a row for each method and parting."""
    rows = []
    for method, parting in dict.fromkeys((line["method"], line["parting"]) for line in lines):
        own = [line for line in lines if (line["method"], line["parting"]) == (method, parting)]
        means = {
            name: float(np.mean([line[name] for line in own]))
            for name in ("mask", "f1", "count_error", "seconds")
        }
        rows.append({"method": method, "parting": parting, "images": len(own)} | means)
    return rows


def leads(rows: Any) -> bool:
    """Whether the first method, parted as Saccade does, is above the best of each rival."""
    own = next(row for row in rows if row["parting"] == "ours")
    rivals = [row for row in rows if row["method"] not in (own["method"], "truth")]
    return all(own["f1"] > row["f1"] and own["count_error"] <= row["count_error"] for row in rivals)
