"""Many images one after another: skips what is done, goes on past a bad file, stops cleanly."""

import errno
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.cli.outputs import Wanted, planned, write
from saccade.cli.pairs import Pair
from saccade.cli.progress import Bar
from saccade.errors import InputError, message_of

if TYPE_CHECKING:
    from saccade.interactive import ScribbleSegmenter
    from saccade.scribbles.strokes import Strokes

_HOPELESS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""After these no other image will fare better."""

_SHOWN = 5
"""Of ways in which strokes were read; with many classes nearly every file has its own."""


@dataclass(frozen=True)
class Settings:
    """How to segment: the arguments of `saccade.ScribbleSegmenter`, and how to read strokes."""

    preset: str = "fast"
    seed: int = 0
    device: str = "auto"
    unlabeled: int | None = None


@dataclass(frozen=True)
class Job:
    """A pair with the outputs that are still to be written for it."""

    pair: Pair
    outputs: dict[str, Path]


@dataclass
class Outcome:
    """What became of a batch."""

    done: list[Job] = field(default_factory=list)
    failed: dict[Path, str] = field(default_factory=dict)
    seconds: float = 0.0  # from start to end, reading, writing and importing PyTorch included
    segmenting: float = 0.0  # the part of it that the segmenter took
    interrupted: bool = False


def plan(pairs: Sequence[Pair], wanted: Wanted, *, overwrite: bool) -> list[Job]:
    """Return the work that is left.

    The mask of the first format is written last, so an image that has it is done, unless now
    more is asked for: then only what is missing is written. Without that mask, whatever else
    there is comes from a run that was stopped, and is written anew. So a mask that exists is
    never replaced without `overwrite`.
    """
    jobs = []
    for pair in pairs:
        outputs = planned(pair, wanted)
        finished = outputs[wanted.formats[0]].exists()
        if finished and not overwrite:
            outputs = {kind: path for kind, path in outputs.items() if not path.exists()}
        if outputs:
            jobs.append(Job(pair, outputs))
    return jobs


def outdated(pairs: Sequence[Pair], wanted: Wanted) -> int:
    """Count the masks that are older than their image or strokes."""
    return sum(_is_outdated(pair, planned(pair, wanted)[wanted.formats[0]]) for pair in pairs)


def run(jobs: Sequence[Job], settings: Settings, wanted: Wanted, bar: Bar) -> Outcome:
    """Do the jobs in their order; a file that fails is noted, Ctrl-C ends the loop.

    Every file is written under a temporary name and renamed, so that whatever stops the loop
    leaves whole files.

    Raises:
        InputError: the settings are wrong for every image alike, such as an unknown device.
    """
    if len(jobs) > 1:
        _segmenter(settings)
    outcome = Outcome()
    notes = Assumptions(bar.note)
    start = time.perf_counter()
    for i, job in enumerate(jobs):
        name = job.pair.image.name
        bar.show(i, name)
        try:
            outcome.segmenting += _segment_one(job, settings, wanted, notes, _moving(bar, i, name))
            outcome.done.append(job)
        except KeyboardInterrupt:
            outcome.interrupted = True
            break
        except Exception as error:
            outcome.failed[job.pair.image] = message_of(error)
            if isinstance(error, OSError) and error.errno in _HOPELESS:
                break
    bar.close()
    notes.summarise()
    outcome.seconds = time.perf_counter() - start
    return outcome


class Assumptions:
    """Says once what strokes were taken to mean, and finds files that contradict each other."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._counts: dict[str, int] = {}
        self._values: dict[str, tuple[int, Path]] = {}
        self._names: dict[int, tuple[str, Path]] = {}

    def add(self, strokes: "Strokes", path: Path) -> None:
        """Note how `path` was read, if no earlier file was read like it.

        Raises:
            InputError: a class has another name here than in an earlier file, so that masks of
                the two would not mean the same.
        """
        self._compare_names(strokes.names, path)
        assumption = strokes.assumption.removeprefix(f"{path.name}: ")
        if assumption not in self._counts and len(self._counts) < _SHOWN:
            self._note(f"{path.name}: {assumption}")
        self._counts[assumption] = self._counts.get(assumption, 0) + 1

    def summarise(self) -> None:
        """Say how many files were read in which way, where it was not the same for all."""
        if len(self._counts) > 1:
            self._note("strokes were not all read in the same way:")
            common = sorted(self._counts.items(), key=lambda item: -item[1])
            for assumption, count in common[:_SHOWN]:
                self._note(f"  {count} files: {assumption}")
            if len(common) > _SHOWN:
                self._note(f"  and {len(common) - _SHOWN} other ways")
        elif sum(self._counts.values()) > 1:
            self._note(f"the same holds for all {sum(self._counts.values())} files with strokes")

    def _compare_names(self, names: dict[int, str], path: Path) -> None:
        advice = "list the classes of all files with --names"
        for value, name in names.items():
            other, earlier = self._values.get(name, (value, path))
            if other != value:
                raise InputError(
                    f"{path}: '{name}' is class {value} here and {other} in {earlier.name}; "
                    f"{advice}"
                )
            known, earlier = self._names.get(value, (name, path))
            if known != name:
                raise InputError(
                    f"{path}: class {value} is '{name}' here and '{known}' in {earlier.name}; "
                    f"{advice}"
                )
        for value, name in names.items():
            self._values.setdefault(name, (value, path))
            self._names.setdefault(value, (name, path))


def _segment_one(
    job: Job,
    settings: Settings,
    wanted: Wanted,
    notes: Assumptions,
    progress: Callable[[float, str], None],
) -> float:
    """Do one job and return the seconds that the segmenter took."""
    from saccade.annotations import read_any_strokes
    from saccade.images import load_image

    pair = job.pair
    image = load_image(pair.image)
    height, width = image.shape[:2]
    strokes = read_any_strokes(
        pair.strokes, shape=(height, width), unlabeled=settings.unlabeled, names=wanted.names
    )
    notes.add(strokes, pair.strokes)
    segmenter = _segmenter(settings, strokes.unlabeled)
    start = time.perf_counter()
    result = segmenter.fit(image, strokes.labels, progress=progress).result
    seconds = time.perf_counter() - start
    names = wanted.names or strokes.names or None
    for kind, path in job.outputs.items():
        write(kind, path, pair=pair, image=image, result=result, names=names)
    return seconds


def _segmenter(settings: Settings, unlabeled: int = 255) -> "ScribbleSegmenter":
    from saccade.interactive import ScribbleSegmenter  # brings PyTorch, so only when needed

    return ScribbleSegmenter(settings.preset, settings.seed, settings.device, unlabeled=unlabeled)


def _moving(bar: Bar, done: int, name: str) -> Callable[[float, str], None]:
    return lambda fraction, stage: bar.show(done + fraction, f"{name}: {stage}")


def _is_outdated(pair: Pair, mask: Path) -> bool:
    if not mask.exists():
        return False
    written = mask.stat().st_mtime
    return max(pair.image.stat().st_mtime, pair.strokes.stat().st_mtime) > written
