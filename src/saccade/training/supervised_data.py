"""The training split with the labels that its configuration names, and what each image may show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.data.image_labels import read_label_file
from saccade.data.pairing import MASK_SUFFIXES, Files, by_stem, composed, require_unique
from saccade.data.sets import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import read_names
from saccade.training.supervision import SupervisionConfig


def with_unmasked(data: LabeledSet, config: SupervisionConfig) -> LabeledSet:
    """The training split with the images, too, that have no mask of its own but other labels.

    Raises:
        InputError: the folder of masks is missing, or the file of labels is no such file.
    """
    if not config.masks or not data.unmasked:
        return data
    known = set(by_stem(_folder_of(config)))
    bare = [e.name for e in data.unmasked if e.name not in known]
    known |= _labeled(bare, data.spec, config).keys()
    found = [example for example in data.unmasked if example.name in known]
    lines = zip(data.unmasked, data.missing, strict=True)
    return replace(
        data,
        examples=tuple(sorted((*data.examples, *found), key=lambda example: example.name)),
        missing=tuple(line for example, line in lines if example.name not in known),
        unmasked=tuple(example for example in data.unmasked if example.name not in known),
    )


def _folder_of(config: SupervisionConfig) -> Path:
    folder = Path(config.masks)
    if not folder.is_dir():
        raise InputError(f"supervision: {folder}: no such folder of masks")
    return folder


def _labeled(
    names: list[str], spec: LabelSpec, config: SupervisionConfig
) -> dict[str, tuple[int, ...]]:
    """The classes of those of these images that have a line in the file of labels, if it counts."""
    if not names or not config.labels or not config.online:
        return {}
    return read_label_file(Path(config.labels), (), spec, optional=names).classes


def supervised_by(data: LabeledSet, config: SupervisionConfig) -> LabeledSet:
    """The training split with the masks that the configuration names.

    Raises:
        InputError: the folder or list is missing, an image has no mask or two in the folder, a
            strong name is no image, or more strong images than there are.
    """
    if not config.masks:
        return data
    folder = _folder_of(config)
    strong = _strong_names(data, config)
    files = by_stem(folder)
    require_unique(files.get(e.name, []) for e in data.examples if e.name not in strong)
    examples = tuple(e if e.name in strong else _weakened(e, folder, files) for e in data.examples)
    examples = _with_labels_alone(examples, data, config)
    absent = [e for e in examples if not (e.labels_alone or e.mask.is_file())]
    if absent and config.leave_out and len(absent) < len(examples):
        found = tuple(e for e in examples if e not in absent)
        remark = f"{len(absent)} of {len(examples)} images have no file in {folder.name}/"
        return replace(data, examples=found, remarks=(*data.remarks, f"{remark}; left out"))
    if absent:
        more = f" (and {len(absent) - 1} more)" if len(absent) > 1 else ""
        raise InputError(
            f"{absent[0].mask}: no such file, the mask of {absent[0].image.name}{more}"
        )
    return replace(data, examples=examples)


def _weakened(example: Example, folder: Path, files: Files) -> Example:
    masks = [p for p in files.get(example.name, []) if p.suffix.lower() in MASK_SUFFIXES]
    return replace(example, mask=(*masks, folder / f"{example.name}.png")[0], weak=True)


def _with_labels_alone(
    examples: tuple[Example, ...], data: LabeledSet, config: SupervisionConfig
) -> tuple[Example, ...]:
    """The examples, of which those without a mask but with labels say so."""
    bare = [e.name for e in examples if e.weak and not e.mask.is_file()]
    labeled = _labeled(bare, data.spec, config)
    return tuple(replace(e, labels_alone=labeled.get(e.name, ())) for e in examples)


def _strong_names(data: LabeledSet, config: SupervisionConfig) -> set[str]:
    names = [example.name for example in data.examples]
    if config.strong_list:
        path = Path(config.strong_list)
        if not path.is_file():
            raise InputError(f"supervision: {path}: no such file of names")
        lines = [composed(line.strip()) for line in read_names(path)]
        listed = [n for line in lines for n in ([line] if line in names else line.split())]
        absent = sorted(set(listed) - set(names))
        if absent:
            raise InputError(f"{path}: {absent[0]!r} is no image of {data.title}")
        if not config.strong:
            return set(listed)
        names = list(dict.fromkeys(listed))
    if config.strong > len(names):
        raise InputError(f"supervision: strong is {config.strong}, of {len(names)} images")
    rng = np.random.default_rng(config.strong_seed)
    return {names[i] for i in rng.permutation(len(names))[: config.strong]}


class AllowedClasses:
    """Which classes the online mask of an example may have; `remarks` on where they were read."""

    def __init__(self, data: LabeledSet, config: SupervisionConfig) -> None:
        self.spec = data.spec
        self.given: dict[str, tuple[int, ...]] = {}
        self.remarks: tuple[str, ...] = ()
        if config.online and config.labels:
            alone = [e.name for e in data.examples if e.labels_alone]
            masked = [e.name for e in data.examples if e.weak and not e.labels_alone]
            # Where all images have masks, the file was made for all: a missing line is a mistake.
            must, may = (alone, masked) if alone else (masked, [])
            found = read_label_file(Path(config.labels), must, data.spec, optional=may)
            self.given, self.remarks = found.classes, found.remarks
            if alone:
                self.remarks += (f"{len(alone)} images have labels alone, no mask",)
            if bare := sum(name not in self.given for name in masked):
                line = f"{bare} images have no line in {config.labels}; the classes of their masks"
                self.remarks += (f"{line} count",)

    def classes(self, example: Example, labels: NDArray[np.uint8]) -> Tensor:
        """(K,) bool; nothing for an example with a full mask."""
        allowed = np.zeros(len(self.spec.names), bool)
        if not example.weak:
            return torch.from_numpy(allowed)
        if example.name in self.given:
            allowed[list(self.given[example.name])] = True
        else:
            present = np.unique(labels)
            allowed[present[present < len(allowed)]] = True
        _allow_background(allowed, self.spec)
        return torch.from_numpy(allowed)


def _allow_background(allowed: NDArray[np.bool_], spec: LabelSpec) -> None:
    if "background" in spec.names:
        allowed[spec.names.index("background")] = True
