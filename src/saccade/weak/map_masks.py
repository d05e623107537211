"""Localization maps and a background cue to pseudo masks of many images."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from saccade.batch import Executor, Outcome, Report, Worker, run_batch
from saccade.batch.records import read_record, record_of, record_path, write_record
from saccade.data.specs import IGNORE, LabelSpec
from saccade.errors import InputError
from saccade.files import digest_of, refuse_to_replace
from saccade.folders import by_stem, list_files, name_key
from saccade.formats.masks import write_mask
from saccade.images import load_image, read_image
from saccade.stores import make_folders
from saccade.weak.fusion import Fusion, Threshold, object_regions
from saccade.weak.localization import LocalizationMaps, read_maps
from saccade.weak.merging import merge_regions, strongest
from saccade.weak.saliency import Method, background_cue, find_saliency, read_saliency, saliency_of

MASKS_PER_PROCESS = 32
"""Fewest for `LocalProcesses.items_each`: a mask takes less time than a process to start."""


@dataclass(frozen=True)
class MapLabeling:
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
        window: values of the images that become black and white where their saliency is looked
            for; None: what each file says.
    """

    fusion: Fusion | int = "anti-noise"
    share: float = 0.3
    threshold: Threshold = "share"
    conflicts: Literal["ignore", "strongest"] = "ignore"
    saliency: Literal["given", "none"] | Method = "given"
    saliency_threshold: float = 0.06
    percentile: bool = False
    window: tuple[float, float] | None = None

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


@dataclass(frozen=True)
class MapRecord:
    """What is known of one pseudo mask: its name, its pixels, how many have no class.

    `remarks` are lines on how the image was read, where its saliency was looked for.
    """

    name: str
    pixels: int
    ignored: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class MapJob:
    """An image, its localisation maps and saliency map, and the pseudo mask to be made."""

    image: Path
    maps: Path
    saliency: Path | None
    mask: Path

    @property
    def record(self) -> Path:
        """Where what is known of the mask is kept."""
        return record_path(self.mask)


def map_mask(
    maps: LocalizationMaps,
    settings: MapLabeling,
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


def _check(jobs: Sequence[MapJob], spec: LabelSpec) -> None:
    """Read everything once, before anything is written."""
    for job in jobs:
        found = read_maps(job.maps)
        height, width = load_image(job.image).shape[:2]
        if found.size != (height, width):
            raise InputError(
                f"{job.maps}: of an image of {found.size[1]} x {found.size[0]} pixels "
                f"(width x height), {job.image.name} has {width} x {height}"
            )
        known, most = len(spec.names), max(found.classes, default=0)
        if most >= known:
            raise InputError(
                f"{job.maps}: has a map of class {most}, but there are only {known} class names, "
                f"for 0 to {known - 1}; name the classes that the maps were made for"
            )
        if job.saliency is not None:
            read_saliency(job.saliency, (height, width))


def label_from_maps(
    images: Sequence[Path],
    maps: Path,
    spec: LabelSpec,
    settings: MapLabeling,
    folder: Path,
    *,
    saliency: Path | None = None,
    executor: Executor | None = None,
    progress: Callable[[float, str], None] = lambda done, name: None,
) -> Outcome[MapJob, MapRecord]:
    """Write FOLDER/NAME.png for each image; masks that are done are kept.

    A mask is done when its record is there, FOLDER/records/NAME.json, and was made with the same
    settings, class names, map and saliency, and the image has not changed since.

    Args:
        images: files.
        maps: folder of their localization maps.
        spec: the classes; one named "background" is set by the cue.
        settings: how.
        folder: made if it is missing.
        saliency: folder of saliency maps, for `settings.saliency` "given".
        executor: where the work is done; None for this process.
        progress: told how many images are finished.

    Raises:
        InputError: maps or saliency of an image that are missing, damaged, of another size or
            class, a background class without a cue, or a mask that would replace an input.
        OSError: the disk is full.
    """
    given: dict[str, Path] = {}
    if settings.saliency == "given" and "background" in spec.names:
        if saliency is None:
            raise InputError(
                "the background class needs saliency maps: name their folder, or take "
                "fine-grained or spectral"
            )
        given = find_saliency([image.stem for image in images], saliency)
    map_of = by_stem(maps, list_files(maps, {".npz"}).files)
    jobs = [
        MapJob(
            image,
            map_of.get(name_key(image.stem), maps / f"{image.stem}.npz"),
            given.get(image.stem),
            folder / f"{image.stem}.png",
        )
        for image in images
    ]
    refuse_to_replace(
        (path for job in jobs for path in (job.mask, job.record)),
        (p for job in jobs for p in (job.image, job.maps, job.saliency) if p is not None),
    )
    done = {job: record for job in jobs if (record := _finished(job, spec, settings)) is not None}
    _check([job for job in jobs if job not in done], spec)
    for job in jobs[:1]:
        make_folders(job.record.parent)
    outcome = run_batch(
        jobs,
        partial(_make_worker, spec, settings),
        already=done.get,
        executor=executor,
        name=lambda job: job.mask.stem,
        progress=progress,
    )
    if outcome.fatal is not None:
        raise outcome.fatal
    return outcome


def _make_worker(spec: LabelSpec, settings: MapLabeling) -> Worker[MapJob, MapRecord]:
    def work(job: MapJob, report: Report) -> MapRecord:
        found = read_maps(job.maps)
        background = spec.names.index("background") if "background" in spec.names else None
        cue, remarks = _cue(job, settings, found.size) if background is not None else (None, ())
        mask = map_mask(found, settings, cue, background)
        colors = {i: (int(r), int(g), int(b)) for i, (r, g, b) in enumerate(spec.colors)}
        write_mask(job.mask, mask, "png", colors=colors)
        record = MapRecord(job.mask.stem, int(mask.size), int((mask == IGNORE).sum()), remarks)
        write_record(job.mask, {"made_from": _made_from(job, spec, settings), **asdict(record)})
        return record

    return work


def _made_from(job: MapJob, spec: LabelSpec, settings: MapLabeling) -> dict[str, object]:
    """What decides the mask, beside the image."""
    files = (job.maps,) if job.saliency is None else (job.maps, job.saliency)
    made = {**asdict(settings), "names": list(spec.names), "files": digest_of(*files)}
    window = made.pop("window")  # without one, masks are those of before there was the option
    return made if window is None else {**made, "window": list(window)}


def _finished(job: MapJob, spec: LabelSpec, settings: MapLabeling) -> MapRecord | None:
    """The record of a mask that need not be made again."""
    content = read_record(job.mask, (job.image,))
    if content is None or not job.maps.is_file():
        return None
    made_from = content.pop("made_from", None)  # of a mask from strokes there is none
    try:
        content["remarks"] = tuple(map(str, content.get("remarks", ())))
        current = made_from == _made_from(job, spec, settings)
        return record_of(MapRecord, content) if current else None
    except TypeError:
        return None  # damaged: made again


def _cue(
    job: MapJob, settings: MapLabeling, size: tuple[int, int]
) -> tuple[NDArray[np.float32] | None, tuple[str, ...]]:
    """The saliency of an image, and how the image was read for it."""
    if job.saliency is not None:
        return read_saliency(job.saliency, size), ()
    if settings.saliency in ("fine-grained", "spectral"):
        picture = read_image(job.image, window=settings.window)
        return saliency_of(picture.pixels, settings.saliency), picture.remarks
    return None, ()
