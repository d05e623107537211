"""Strokes on many images to pseudo masks, by the per-image segmenter, unsure pixels left out."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from saccade.batch import Executor, Outcome, Report, Worker, run_batch
from saccade.batch.records import read_record, record_of, record_path, write_record
from saccade.copies import copied
from saccade.data.specs import IGNORE, LabelSpec
from saccade.errors import InputError, message_of
from saccade.files import digest_of, refuse_to_replace
from saccade.formats.masks import write_mask
from saccade.images import ReadImage, read_any_file
from saccade.stores import make_folders
from saccade.weak.stroke_labeling import StrokeLabeling, load_model, pseudo_mask

if TYPE_CHECKING:
    from saccade.fitted import Model, TrainedModel
    from saccade.fitted.items import Picture


@dataclass(frozen=True)
class Job:
    """An image, its strokes, and the pseudo mask that is to be made.

    `entry` is the name of the image in a file of strokes for many images, else None.
    """

    image: Path
    strokes: Path
    mask: Path
    entry: str | None = None

    @property
    def record(self) -> Path:
        """Where what is known of the mask is kept."""
        return record_path(self.mask)


@dataclass(frozen=True)
class Record:
    """What is known of one pseudo mask.

    Attributes:
        name: stem of the image.
        seconds: that its segmentation took.
        pixels: of the image.
        ignored: of these, without a class.
        confidence: mean probability of the chosen class, before pixels were left out.
        classes: class index -> pixels of it in the mask.
        drawn: class index -> pixels of strokes.
        remarks: how the image and its strokes were read, where that is not plain.
    """

    name: str
    seconds: float
    pixels: int
    ignored: int
    confidence: float
    classes: dict[int, int]
    drawn: dict[int, int]
    remarks: tuple[str, ...] = ()


def plan(
    pairs: Sequence[tuple[Path, Path] | tuple[Path, Path, str | None]], folder: Path
) -> list[Job]:
    """The masks to be made of pairs (image, strokes), or triples with `Job.entry`."""
    return [
        Job(pair[0], pair[1], folder / f"{pair[0].stem}.png", pair[2] if len(pair) > 2 else None)
        for pair in pairs
    ]


def label_all(
    jobs: Sequence[Job],
    spec: LabelSpec,
    settings: StrokeLabeling,
    *,
    executor: Executor | None = None,
    progress: Callable[[float, str], None] = lambda done, name: None,
) -> Outcome[Job, Record]:
    """Make the masks that are not there yet; a bad image is noted, Ctrl-C keeps what is done.

    A mask is done when its record is there, which is written last, and was made with the same
    settings and class names from files that have not changed since.

    Args:
        jobs: of `plan`.
        spec: the classes that strokes may have.
        settings: how.
        executor: where the work is done; None for this process.
        progress: told how many of the jobs are finished.

    Raises:
        InputError: a mask would replace an image or strokes.
        OSError: the folder cannot be written to, or the disk is full.
    """
    refuse_to_replace(
        (path for job in jobs for path in (job.mask, job.record)),
        (path for job in jobs for path in (job.image, job.strokes)),
    )
    for folder in {job.record.parent for job in jobs}:
        make_folders(folder)
    outcome = run_batch(
        jobs,
        partial(_make_worker, spec, settings),
        already=lambda job: _finished(job, spec, settings),
        executor=executor,
        name=lambda job: job.image.name,
        progress=progress,
    )
    if outcome.fatal is not None:
        raise outcome.fatal
    return outcome


def unusable(
    jobs: Sequence[Job],
    spec: LabelSpec,
    settings: StrokeLabeling,
    *,
    progress: Callable[[int, str], None] = lambda done, name: None,
) -> dict[Job, str]:
    """Read the images and strokes of all masks that are not there yet, before hours are spent.

    Args:
        jobs: of `plan`.
        spec: the classes that strokes may have.
        settings: how masks will be made.
        progress: told how many of the jobs have been looked at.

    Returns:
        Why no mask can be made, for each job of which none can.
    """

    def why(job: Job) -> str:
        try:
            if _finished(job, spec, settings) is None:
                _opened(job, spec, settings)
        except (InputError, OSError) as error:
            return message_of(error)
        return ""

    found = {}
    pool = ThreadPoolExecutor(4)
    try:
        for done, (job, line) in enumerate(zip(jobs, pool.map(why, jobs), strict=True), 1):
            if line:
                found[job] = line
            progress(done, job.image.name)
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl-C does not wait for what has not begun
    return found


def _make_worker(spec: LabelSpec, settings: StrokeLabeling) -> Worker[Job, Record]:
    model = None if settings.model is None else load_model(settings.model, spec, settings.device)

    def work(job: Job, report: Report) -> Record:
        return _made(job, spec, settings, model)

    return work


def _opened(
    job: Job, spec: LabelSpec, settings: StrokeLabeling, model: "Model | TrainedModel | None" = None
) -> tuple["ReadImage | Picture", NDArray[np.uint8], tuple[str, ...]]:
    """Image, (H, W) strokes, 255 where nobody drew, and how both were read."""
    with copied(job.image, job.strokes) as (image, strokes):
        return _read(replace(job, image=image, strokes=strokes), spec, settings, model)


def _read(
    job: Job, spec: LabelSpec, settings: StrokeLabeling, model: "Model | TrainedModel | None"
) -> tuple["ReadImage | Picture", NDArray[np.uint8], tuple[str, ...]]:
    from saccade.annotations import read_any_strokes

    picture: ReadImage | Picture
    if model is None:
        picture = read_any_file(job.image, channels=settings.channels, window=settings.window)
    else:
        picture = model.read(job.image)
    image = picture.pixels
    strokes = read_any_strokes(
        job.strokes,
        shape=(image.shape[0], image.shape[1]),
        unlabeled=settings.unlabeled,
        names=spec.names,
        image_name=job.entry,
    )
    drawn = np.where(strokes.labels == strokes.unlabeled, IGNORE, strokes.labels).astype(np.uint8)
    return picture, drawn, tuple(dict.fromkeys((*picture.remarks, *strokes.remarks)))


def _made(
    job: Job, spec: LabelSpec, settings: StrokeLabeling, model: "Model | TrainedModel | None" = None
) -> Record:
    image, drawn, remarks = _opened(job, spec, settings, model)
    start = time.perf_counter()
    mask, chosen, assumed = pseudo_mask(image, drawn, settings, model)
    seconds = time.perf_counter() - start
    colors = {i: (int(r), int(g), int(b)) for i, (r, g, b) in enumerate(spec.colors)}
    write_mask(job.mask, mask, "png", colors=colors)
    record = Record(
        job.image.stem,
        round(seconds, 3),
        int(mask.size),
        int((mask == IGNORE).sum()),
        round(float(chosen.mean()), 5),
        _counts(mask),
        _counts(drawn),
        tuple(dict.fromkeys((*remarks, *assumed))),
    )
    write_record(job.mask, {"settings": _settings(settings, spec), **asdict(record)})
    return record


def finished(jobs: Sequence[Job], spec: LabelSpec, settings: StrokeLabeling) -> dict[Job, Record]:
    """The records of masks that need not be made again."""
    found = ((job, _finished(job, spec, settings)) for job in jobs)
    return {job: record for job, record in found if record is not None}


def _finished(job: Job, spec: LabelSpec, settings: StrokeLabeling) -> Record | None:
    """The record of a mask that need not be made again."""
    content = read_record(job.mask, (job.image, job.strokes))
    try:
        if content is None or not same_settings(content.pop("settings"), _settings(settings, spec)):
            return None
        for key in ("classes", "drawn"):
            content[key] = {int(value): count for value, count in content[key].items()}
        content["remarks"] = tuple(map(str, content.get("remarks", ())))
        return record_of(Record, content)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # damaged: made again


def _settings(settings: StrokeLabeling, spec: LabelSpec) -> dict[str, object]:
    """What decides a mask: not the device, but the names, which give XML strokes their values."""
    content = asdict(settings)
    del content["device"]
    content["model"] = None if settings.model is None else digest_of(settings.model)
    for name in ("window", "channels"):  # as JSON gives them back
        content[name] = None if content[name] is None else list(content[name])
    return {**content, "names": list(spec.names)}


def same_settings(kept: Mapping[str, object], asked: Mapping[str, object]) -> bool:
    """Whether a record fits the settings; of those that are newer than it nothing is known."""
    return {**asked, **kept} == dict(asked)


def _counts(labels: NDArray[np.uint8]) -> dict[int, int]:
    values, counts = np.unique(labels[labels != IGNORE], return_counts=True)
    return {int(v): int(n) for v, n in zip(values, counts, strict=True)}
