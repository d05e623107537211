"""A folder looked at: which files a training needs, and what was assumed."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from saccade.data.examples import LabeledSet
from saccade.data.listed import unique_names
from saccade.discovery.annotations import Annotations, find_annotations, write_masks
from saccade.discovery.class_files import find_class_file
from saccade.discovery.configuration import Facts, configuration_text
from saccade.discovery.convert import converted
from saccade.discovery.globs import pairs_of_globs
from saccade.discovery.layouts import known_layout
from saccade.discovery.meaning import Meaning, meaning_of
from saccade.discovery.numbers import numbers_of
from saccade.discovery.pairs import Pair, Pairs, find_pairs
from saccade.discovery.survey import survey
from saccade.errors import InputError
from saccade.folders import some_names
from saccade.images import image_size

CONFIG = "train.toml"
LEAST = 3
_SHOWN = 5
_SAMPLE = 25

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Plan:
    """What a configuration for a folder is made of.

    Attributes:
        files: name -> text, all but masks, the configuration last.
        write_masks: writes masks that had to be converted; does nothing where none had.
        masks: so many are written.
        remarks: lines on what was found and assumed.
        classes: names.
        counts: images to train on and to score on.
    """

    files: dict[str, str]
    write_masks: Callable[[], None]
    masks: int
    remarks: tuple[str, ...]
    classes: tuple[str, ...]
    counts: tuple[int, int]


@dataclass(frozen=True)
class Wishes:
    """What somebody decides.

    Attributes:
        output: folder of the configuration.
        hold_out: share of the images to score on, where no folder says which.
        seed: of their choice.
        gpu: whether the training will have one.
        pretrained: whether weights of the backbone are on this machine.
    """

    output: Path
    hold_out: float = 0.2
    seed: int = 0
    gpu: bool = False
    pretrained: bool = False


def plan_for(
    root: Path,
    wishes: Wishes,
    progress: Progress = lambda done, text: None,
    globs: tuple[str, str] | None = None,
) -> Plan:
    """Look at a folder and plan a training on it; nothing is written.

    Args:
        root: the folder.
        wishes: what is decided already.
        progress: told the share that is done, and of what.
        globs: patterns of images and of masks; None: to be found out.

    Raises:
        InputError: no images with masks, too few of them, or masks that cannot be understood.
    """
    if not root.is_dir():
        raise InputError(f"{root}: {'is no folder' if root.exists() else 'no such folder'}")
    if globs is not None:
        found = pairs_of_globs(root, *globs)
    else:
        layout = known_layout(root)
        if layout is not None:
            return _of_layout(root, *layout, wishes)
        inside = wishes.output in root.parents  # what was unpacked for it
        found = find_pairs(root, without=None if inside else wishes.output)
        drawn = find_annotations(root, wishes.output, lambda done: progress(done, "reading shapes"))
        if drawn is not None and len(drawn.images) > len(found.pairs):
            return _of_annotations(root, drawn, wishes)
    if not found.pairs:
        raise InputError(
            f"{root}: no image with a mask among {len(found.others)} images; expected masks with "
            "the names of their images, in another folder or with an ending such as _mask, or "
            "COCO, labelme, CVAT or Label Studio files; --images 'PATTERN' --masks 'PATTERN' say "
            "which belong together"
        )
    class_file = find_class_file(root)
    total = len(found.pairs)
    seen = survey(found.pairs, lambda done: progress(done / total, "looking at masks"))
    try:
        meaning = meaning_of(seen, class_file)
    except InputError as error:
        raise InputError(f"{found.pairs[0][1].parent}: {error}") from error
    remarks = [f"{total} images with masks: {found.rule}"]
    if found.others:
        remarks.append(f"left out are {some_names('images without a mask', found.others)}")
    remarks += [f"left out: {problem}" for problem in seen.problems[:_SHOWN]]
    if len(seen.problems) > _SHOWN:
        remarks.append(f"and {len(seen.problems) - _SHOWN} more are left out")
    remarks += meaning.remarks
    sound = [i for i, (_, mask) in enumerate(found.pairs) if mask not in seen.broken]
    kept = replace(
        found,
        pairs=tuple(found.pairs[i] for i in sound),
        splits=tuple(found.splits[i] for i in sound),
    )
    return _of_pairs(root, kept, meaning, wishes, tuple(remarks))


def _of_layout(root: Path, layout: str, train: LabeledSet, val: LabeledSet, wishes: Wishes) -> Plan:
    counts = len(train.examples), len(val.examples)
    some = _some([example.image for example in train.examples])
    numbers, lines = numbers_of(some)
    facts = Facts(
        root.resolve().name,
        *counts,
        _typical_side(some),
        wishes.gpu,
        wishes.pretrained,
        layout,
        relative(root, wishes.output),
        "the split val of the data",
        numbers=numbers,
    )
    remarks = (f"the layout is '{layout}', with its splits train and val", *lines)
    files = {CONFIG: configuration_text(facts)}
    return Plan(files, lambda: None, 0, remarks, train.spec.names, counts)


def _of_annotations(root: Path, drawn: Annotations, wishes: Wishes) -> Plan:
    targets = _targets(list(drawn.images), wishes.output)
    target_of = dict(zip(drawn.images, targets, strict=True))
    remarks = (
        f"{len(targets)} images with shapes of {' and '.join(drawn.kinds)}",
        *drawn.remarks,
        *drawn.meaning.remarks,
        f"masks of class indices are written to {wishes.output / 'masks'}",
    )
    pairs = list(zip(drawn.images, targets, strict=True))
    write = partial(write_masks, drawn, target_of)
    return planned(root, pairs, drawn.splits, drawn.meaning, wishes, remarks, write, len(pairs))


def _targets(images: list[Path], output: Path) -> list[Path]:
    """Where the masks of images are written."""
    return [output / "masks" / f"{name}.png" for name in unique_names(images)]


def _of_pairs(
    root: Path, found: Pairs, meaning: Meaning, wishes: Wishes, remarks: tuple[str, ...]
) -> Plan:
    pairs, write, masks = list(found.pairs), (lambda: None), 0
    if meaning.convert:
        targets = _targets([image for image, _ in pairs], wishes.output)
        write = converted([(pair[1], t) for pair, t in zip(pairs, targets, strict=True)], meaning)
        pairs = [(pair[0], target) for pair, target in zip(pairs, targets, strict=True)]
        masks = len(pairs)
        remarks = (*remarks, f"masks of class indices are written to {wishes.output / 'masks'}")
    return planned(root, pairs, found.splits, meaning, wishes, remarks, write, masks)


def planned(
    root: Path,
    pairs: list[Pair],
    splits: tuple[str, ...],
    meaning: Meaning,
    wishes: Wishes,
    remarks: tuple[str, ...],
    write: Callable[[], None],
    masks: int,
) -> Plan:
    """The plan for pairs of image and mask, some of which may have to be written first.

    Raises:
        InputError: fewer than three pairs.
    """
    if len(pairs) < LEAST:
        raise InputError(
            f"{root}: {len(pairs)} images with masks, expected at least {LEAST}, of which one is "
            "held out"
        )
    train, val, how = _split(pairs, splits, wishes)
    files = {"classes.txt": meaning.text}
    for name, part in (("train", train), ("val", val)):
        files[f"{name}.txt"] = "".join(
            f"{relative(image, wishes.output)}\t{relative(mask, wishes.output)}\n"
            for image, mask in part
        )
    left = len(pairs) - len(train) - len(val)
    kept = [f"{len(train)} images to train on, {len(val)} to score on: {how}"]
    kept += [f"{left} images of the folder 'test' are left out"] * bool(left)
    some = _some([image for image, _ in train])
    numbers, lines = numbers_of(some)
    kept += lines
    facts = Facts(
        root.resolve().name,
        len(train),
        len(val),
        _typical_side(some),
        wishes.gpu,
        wishes.pretrained,
        held_out=how,
        numbers=numbers,
    )
    files[CONFIG] = configuration_text(facts)
    names = tuple(named.name for named in meaning.classes)
    return Plan(files, write, masks, (*remarks, *kept), names, (len(train), len(val)))


def _split(
    pairs: list[Pair], splits: tuple[str, ...], wishes: Wishes
) -> tuple[list[Pair], list[Pair], str]:
    """Pairs to train on and to score on, and how they were chosen."""
    named = {n: [p for p, s in zip(pairs, splits, strict=True) if s == n] for n in set(splits)}
    if len(named.get("train", [])) >= 2 and named.get("val"):
        return named["train"], named["val"], "as the names of folders or lists say"
    pool = [p for p, s in zip(pairs, splits, strict=True) if s != "test"]
    if len(pool) < LEAST:
        pool = pairs
    count = min(len(pool) - 2, max(1, round(wishes.hold_out * len(pool))))
    order = np.random.default_rng(wishes.seed).permutation(len(pool))
    held = {int(i) for i in order[:count]}
    return (
        [p for i, p in enumerate(pool) if i not in held],
        [p for i, p in enumerate(pool) if i in held],
        f"chosen by chance (seed {wishes.seed})",
    )


def _some(images: list[Path]) -> list[Path]:
    """Some images, spread over all of them."""
    places = np.linspace(0, len(images) - 1, min(_SAMPLE, len(images))).astype(int)
    return [images[i] for i in places]


def _typical_side(images: list[Path]) -> int:
    """Median shorter side of images, in pixels."""
    return int(np.median([min(image_size(path)) for path in images]))


def relative(path: Path, folder: Path) -> str:
    """A path as it is seen from a folder, with slashes; absolute where both are on two drives."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.resolve().as_posix()
