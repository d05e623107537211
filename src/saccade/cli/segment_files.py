"""From an image and its strokes to the files of its mask: the work of ``saccade segment``."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.batch import Executor, Outcome, Report, Worker, run_batch
from saccade.batch.records import record_path, recorded
from saccade.cli.assumptions import Assumptions
from saccade.cli.elsewhere import here
from saccade.cli.object_files import find, is_written, stored_objects
from saccade.cli.outputs import Wanted, planned, write
from saccade.cli.pairs import Pair, size_of
from saccade.cli.segment_settings import Settings, made_by, read_and_segment
from saccade.errors import InputError
from saccade.folders import existing
from saccade.formats.names import OBJECT_FORMATS, OBJECTS_TOO, refuse_unfit
from saccade.remarks import Remarks
from saccade.stores import modified
from saccade.strict_json import json_text, stored_json

if TYPE_CHECKING:
    from saccade.scribbles.strokes import Strokes

_OF_OBJECTS = {"instances", "objects", *OBJECT_FORMATS}
"""Outputs that follow from a mask and the options of objects, and are made anew with others."""


@dataclass(frozen=True)
class Done:
    """What is known of a mask: the seconds that segmenting took, and how the image was read.

    `unlike`: the image looks like none of those that the model was fitted to.
    """

    seconds: float
    remarks: tuple[str, ...] = ()
    unlike: bool = False


@dataclass(frozen=True)
class Job:
    """A pair with the outputs that are still to be written for it, as (kind, path)."""

    pair: Pair
    outputs: tuple[tuple[str, Path], ...]


def plan(pairs: Sequence[Pair], wanted: Wanted, *, overwrite: bool) -> list[Job]:
    """Return a job for each pair; one that is done has no outputs left.

    The mask of the first format is written last, so an image that has it is done, unless now
    more is asked for: then only what is missing is written. Without that mask, whatever else
    there is comes from a run that was stopped, and is written anew. So a mask that exists is
    never replaced without `overwrite`.
    """
    jobs = []
    first = wanted.formats[0]
    there = set() if overwrite else existing(planned(pair, wanted)[first] for pair in pairs)
    for pair in pairs:
        outputs = planned(pair, wanted)
        if outputs[first] in there:
            stale = not _objects_fit(outputs, wanted)
            outputs = {
                kind: path
                for kind, path in outputs.items()
                if not is_written(path) or (stale and kind in _OF_OBJECTS)
            }
        jobs.append(Job(pair, tuple(outputs.items())))
    return jobs


def with_masks(jobs: Sequence[Job], wanted: Wanted) -> list[Pair]:
    """The pairs whose masks are there, and are not to be made anew."""
    return [job.pair for job in jobs if wanted.formats[0] not in dict(job.outputs)]


def _objects_fit(outputs: dict[str, Path], wanted: Wanted) -> bool:
    """Whether the objects there, if any are wanted, were found with the same options."""
    if wanted.objects is None:
        return True
    known = stored_objects(outputs["objects"])
    return known is not None and known["made_by"] == wanted.objects.record()


def other_annotations(pairs: Sequence[Pair], wanted: Wanted) -> int:
    """Count the annotations of masks there, to be kept, that have other objects or none."""
    formats = [fmt for fmt in wanted.formats if fmt in OBJECTS_TOO]
    if wanted.objects is None or not formats:
        return 0
    each = [planned(pair, wanted) for pair in pairs]
    return sum(
        outputs[fmt].exists() and not _objects_fit(outputs, wanted)
        for outputs in each
        for fmt in formats
    )


def made_otherwise(pairs: Sequence[Pair], settings: Settings, wanted: Wanted) -> int:
    """Count the masks there whose records say that other options made them."""
    now = json_text(made_by(settings, wanted))
    masks = (planned(pair, wanted)[wanted.formats[0]] for pair in pairs)
    records = (stored_json(record_path(mask)) for mask in masks if _has_record(mask))
    return sum(isinstance(known, dict) and json_text(known) != now for known in records)


def _has_record(mask: Path) -> bool:
    return mask.is_file() and record_path(mask).is_file()


def outdated(pairs: Sequence[Pair], wanted: Wanted) -> int:
    """Count the masks that are older than their image or strokes."""
    return sum(_is_outdated(pair, planned(pair, wanted)[wanted.formats[0]]) for pair in pairs)


def segment_files(
    jobs: Sequence[Job],
    settings: Settings,
    wanted: Wanted,
    *,
    executor: Executor | None = None,
    note: Callable[[str], None] = lambda line: None,
    warn: Callable[[str], None] = lambda line: None,
    progress: Callable[[float, str], None] = lambda done, text: None,
) -> Outcome[Job, Done]:
    """Do what is left of the jobs.

    Every file is written under a temporary name and renamed, so that whatever stops the loop
    leaves whole files.

    Args:
        jobs: of `plan`.
        settings: how to segment.
        wanted: what to write.
        executor: where the work is done; None for this process.
        note: told what in the strokes was taken for unlabelled.
        warn: told what in images and strokes was converted, left out or skipped.
        progress: told how many of the jobs are finished, and what is being done.

    Raises:
        InputError: the settings are wrong for every image alike, such as an unknown device.
    """
    assumptions, remarks = Assumptions(note), Remarks(warn)
    _read_strokes.cache_clear()

    def check(job: Job) -> None:
        if job.pair.strokes is None:
            return  # the worker tells what is wrong with the image
        with here(job.pair) as pair:
            strokes = _read_strokes(pair, size_of(pair.image), settings, wanted.names)
            assumptions.add(strokes, pair.drawn)
        where = job.pair.drawn if job.pair.entry is None else job.pair.image
        remarks.add(where.name, strokes.remarks)
        for kind, _ in job.outputs:
            try:
                refuse_unfit(strokes.classes, kind)
            except InputError as error:
                raise InputError(f"{job.pair.strokes}: {error}") from error

    outcome = run_batch(
        jobs,
        partial(_make_worker, settings, wanted),
        already=lambda job: None if job.outputs else Done(0.0),
        check=check,
        executor=executor,
        name=lambda job: job.pair.image.name,
        progress=progress,
        on_record=lambda job, done: remarks.add(job.pair.image.name, done.remarks),
    )
    assumptions.summarize()
    remarks.summarize()
    return outcome


def _make_worker(settings: Settings, wanted: Wanted) -> Worker[Job, Done]:
    read, segment = read_and_segment(settings)  # wrong ones are told once, not for every image

    def work(job: Job, report: Report) -> Done:
        with here(job.pair) as pair:
            picture = read(pair.image)
            image = picture.pixels
            size = (image.shape[0], image.shape[1])
            strokes = None
            if pair.strokes is not None:
                strokes = _read_strokes(pair, size, settings, wanted.names)
            start = time.perf_counter()
            result, known_names = segment(picture, strokes, report)
            seconds = time.perf_counter() - start
            names = wanted.names or (strokes.names if strokes else None) or known_names or None
            options = wanted.objects
            found = None if options is None else cache(partial(find, result, options, names))
            put = partial(
                write, pair=pair, image=image, result=result, names=names, linked=pair == job.pair
            )
            kind, last = job.outputs[-1]
            is_mask = kind == wanted.formats[0]
            with recorded(last, made_by(settings, wanted)) if is_mask else nullcontext():
                said = [put(kind, path, options=options, found=found) for kind, path in job.outputs]
            # Said where they were checked.
            known = {*strokes.remarks, strokes.assumption} if strokes else set()
            lines = dict.fromkeys((*picture.remarks, *result.remarks, *chain(*said)))
            return Done(seconds, tuple(x for x in lines if x not in known), result.unlike)

    return work


def strokes_of(
    pair: Pair, size: tuple[int, int], settings: Settings, names: tuple[str, ...] | None
) -> "Strokes":
    """The strokes of a pair, for an image of (H, W)."""
    from saccade.annotations import explain_turned, read_any_strokes
    from saccade.scribbles.strokes import TurnedError

    try:
        return read_any_strokes(
            pair.drawn,
            shape=size,
            unlabeled=settings.unlabeled,
            names=names,
            image_name=pair.entry,
        )
    except TurnedError as error:
        raise explain_turned(error, pair.image) from error


_read_strokes = lru_cache(maxsize=1)(strokes_of)
"""An image that is checked here and then segmented here is read once."""


def _is_outdated(pair: Pair, mask: Path) -> bool:
    if not mask.exists():
        return False
    return max(map(modified, pair.sources)) > modified(mask)
