"""Label images that stand in for full masks: each paper says how its kinds are made."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade.batch import Outcome
from saccade.data.sets import LabeledSet
from saccade.errors import InputError
from saccade.experiments.engine.network_config import NetworkPlan
from saccade.training.inputs import open_sets

Progress = Callable[[float, str], None]
"""Told how many of the counted items are done, and what is being worked on."""


@dataclass(frozen=True)
class LabelSource:
    """How some kinds of label images are made.

    Attributes:
        kinds: their names, each the name of a folder.
        check: called as ``check(kinds, dataset, plan, folder, progress)`` with those of `kinds`
            that are wanted, before any label is made; raises InputError for files that are missing
            or cannot be used, and for labels in FOLDER made with other settings.
        make: called as ``make(kind, dataset, plan, folder, progress)``; writes
            FOLDER/KIND/NAME.png for each example of the data set, and leaves what is there.
        notes: called as ``notes(kinds, plan, folders)`` when they are made; lines of the report on
            what they were made with.
    """

    kinds: Collection[str]
    check: Callable[[Sequence[str], LabeledSet, NetworkPlan, Path, Progress], None]
    make: Callable[[str, LabeledSet, NetworkPlan, Path, Progress], None]
    notes: Callable[[Sequence[str], NetworkPlan, Mapping[str, Path]], tuple[str, ...]]


def make_labels(
    kinds: Sequence[str],
    sources: Sequence[LabelSource],
    plan: NetworkPlan,
    folder: Path,
    progress: Progress,
) -> dict[str, Path]:
    """Make the label images of the training set that are not there yet.

    Args:
        kinds: what is wanted.
        sources: where it may come from.
        plan: names the data.
        folder: a folder below it is made for each kind.
        progress: told 0, as no run of the table is done, and what is being made.

    Returns:
        Kind -> its folder.

    Raises:
        InputError: an unknown kind, data that cannot be used, or labels in FOLDER that were made
            with other settings.
    """
    if not kinds:
        return {}
    source_of = {kind: source for source in sources for kind in source.kinds}
    for kind in kinds:
        if kind not in source_of:
            raise InputError(f"labels {kind!r}, expected one of {', '.join(source_of)}")
    dataset, _ = open_sets(plan.data)
    for source in sources:
        wanted = [kind for kind in kinds if kind in source.kinds]
        if wanted:
            source.check(wanted, dataset, plan, folder, progress)
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        source_of[kind].make(kind, dataset, plan, folder, progress)
    return {kind: folder / kind for kind in kinds}


def label_notes(
    kinds: Sequence[str],
    sources: Sequence[LabelSource],
    plan: NetworkPlan,
    folders: Mapping[str, Path],
) -> tuple[str, ...]:
    """Lines of the report on the label images in `folders`, the result of `make_labels`."""
    lines: tuple[str, ...] = ()
    for source in sources:
        mine = [kind for kind in kinds if kind in source.kinds]
        if mine:
            lines += source.notes(mine, plan, folders)
    return lines


def require_all(outcome: Outcome[Any, Any]) -> None:
    """Make sure that a batch of label images is complete.

    Raises:
        InputError: an image has none.
        KeyboardInterrupt: Ctrl-C ended the batch.
    """
    if outcome.interrupted:
        raise KeyboardInterrupt
    if outcome.failed:
        job, why = next(iter(outcome.failed.items()))
        raise InputError(
            f"{len(outcome.failed)} images have no pseudo labels; {job.image.name}: {why}"
        )
