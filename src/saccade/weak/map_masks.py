"""Localisation maps and a background cue to pseudo masks of many images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from saccade.data.images import load_image
from saccade.data.specs import IGNORE, LabelSpec
from saccade.errors import InputError
from saccade.formats.masks import write_mask
from saccade.weak.fusion import Fusion, Threshold, object_regions
from saccade.weak.localisation import LocalisationMaps, read_maps
from saccade.weak.merging import merge_regions, strongest
from saccade.weak.saliency import (
    SUFFIXES,
    Method,
    background_cue,
    read_saliency,
    saliency_of,
)


@dataclass(frozen=True)
class MapLabelling:
    """How maps become pseudo masks; the defaults are the paper's.

    Attributes:
        fusion: of the blocks, or the index of one of them.
        share: the 30 % of "top 30 %".
        threshold: its reading, see `saccade.weak.fusion.object_regions`.
        conflicts: "ignore" pixels that several classes claim (paper), or give them to the
            "strongest" map, for scenes in which every class is nearly everywhere.
        saliency: "given" maps from a folder, "fine-grained" or "spectral" from OpenCV, or "none"
            where the data has no background class.
        saliency_threshold: below it is background.
        percentile: read that threshold as a share of the pixels.
    """

    fusion: Fusion | int = "anti-noise"
    share: float = 0.3
    threshold: Threshold = "share"
    conflicts: Literal["ignore", "strongest"] = "ignore"
    saliency: Literal["given", "none"] | Method = "given"
    saliency_threshold: float = 0.06
    percentile: bool = False

    def __post_init__(self) -> None:
        """Raises InputError for values that mean nothing."""
        for name, value, known in (
            ("threshold", self.threshold, get_args(Threshold)),
            ("conflicts", self.conflicts, ("ignore", "strongest")),
            ("saliency", self.saliency, ("given", "none", *get_args(Method))),
        ):
            if value not in known:
                raise InputError(f"{name} is {value!r}, must be one of {', '.join(known)}")
        if not isinstance(self.fusion, int) and self.fusion not in get_args(Fusion):
            raise InputError(
                f"fusion is {self.fusion!r}, must be one of {', '.join(get_args(Fusion))}"
            )
        if not 0 < self.share < 1 or not 0 <= self.saliency_threshold <= 1:
            raise InputError("share must be in (0, 1), the saliency threshold in [0, 1]")


def map_mask(
    maps: LocalisationMaps,
    settings: MapLabelling,
    saliency: NDArray[np.float32] | None,
    background_class: int | None,
) -> NDArray[np.uint8]:
    """The pseudo mask of one image.

    Args:
        maps: of its classes.
        settings: how.
        saliency: (H, W) in [0, 1], or None without a background cue.
        background_class: its index; None for data without one.

    Returns:
        (H, W) uint8, 255 where no class or several claim the pixel.
    """
    keep = [i for i, value in enumerate(maps.classes) if value != background_class]
    classes = [maps.classes[i] for i in keep]
    fused = maps.fused(settings.fusion)[keep]
    found = object_regions(torch.from_numpy(fused), settings.share, settings.threshold).numpy()
    if settings.conflicts == "strongest":
        mask = strongest(fused, found, classes)
        if saliency is not None and background_class is not None:
            cue = background_cue(
                saliency, settings.saliency_threshold, percentile=settings.percentile
            )
            mask[cue] = np.where(mask[cue] == IGNORE, background_class, IGNORE)
        return mask
    if saliency is None or background_class is None:
        return merge_regions(found, classes)
    cue = background_cue(saliency, settings.saliency_threshold, percentile=settings.percentile)
    return merge_regions(found, classes, cue, background_class=background_class)


def find_saliency(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """The saliency map of each image, by stem.

    Raises:
        InputError: the folder or a map is missing.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of saliency maps")
    files = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in SUFFIXES}
    lost = [name for name in names if name not in files]
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise InputError(f"{folder}: no saliency map {lost[0]}.png{more}")
    return {name: files[name] for name in names}


def check_maps(images: Sequence[Path], maps: Path, saliency: dict[str, Path] | None) -> None:
    """Read everything once, before anything is written.

    Raises:
        InputError: the maps or the saliency of an image are missing, damaged, or of another size.
    """
    for image in images:
        found = read_maps(maps / f"{image.stem}.npz")
        height, width = load_image(image).shape[:2]
        if found.size != (height, width):
            raise InputError(
                f"{maps / image.stem}.npz: of an image of {found.size[1]} x {found.size[0]} pixels "
                f"(width x height), {image.name} has {width} x {height}"
            )
        if saliency is not None:
            read_saliency(saliency[image.stem], (height, width))


def label_from_maps(
    images: Sequence[Path],
    maps: Path,
    spec: LabelSpec,
    settings: MapLabelling,
    folder: Path,
    *,
    saliency: Path | None = None,
    progress: Callable[[int, str], None] = lambda done, name: None,
) -> None:
    """Write FOLDER/NAME.png for each image.

    Args:
        images: files.
        maps: folder of their localisation maps.
        spec: the classes; one named "background" is set by the cue.
        settings: how.
        folder: made if it is missing.
        saliency: folder of saliency maps, for `settings.saliency` "given".
        progress: told how many images are done.

    Raises:
        InputError: what `check_maps` finds, or a background class without a cue.
    """
    background = spec.names.index("background") if "background" in spec.names else None
    given = None
    if settings.saliency == "given" and background is not None:
        if saliency is None:
            raise InputError(
                "the background class needs saliency maps: name their folder, or take "
                "fine-grained or spectral"
            )
        given = find_saliency([image.stem for image in images], saliency)
    check_maps(images, maps, given)
    folder.mkdir(parents=True, exist_ok=True)
    colors = {i: (int(r), int(g), int(b)) for i, (r, g, b) in enumerate(spec.colors)}
    for done, path in enumerate(images, 1):
        found = read_maps(maps / f"{path.stem}.npz")
        cue = _cue(path, found.size, settings, given) if background is not None else None
        mask = map_mask(found, settings, cue, background)
        write_mask(folder / f"{path.stem}.png", mask, "png", colors=colors)
        progress(done, path.name)


def _cue(
    path: Path, size: tuple[int, int], settings: MapLabelling, given: dict[str, Path] | None
) -> NDArray[np.float32] | None:
    if given is not None:
        return read_saliency(given[path.stem], size)
    if settings.saliency in ("fine-grained", "spectral"):
        return saliency_of(load_image(path), settings.saliency)
    return None
