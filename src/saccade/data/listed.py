"""List files: a line is an image and its mask, wherever the two lie."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

from saccade.data.examples import Example, LabeledSet
from saccade.data.specs import read_classes
from saccade.errors import InputError
from saccade.files import read_names
from saccade.folders import name_key


def open_listed(root: Path, split: str) -> LabeledSet:
    """The examples of SPLIT.txt in a folder, with the classes of the classes.txt beside it.

    Raises:
        InputError: a file is missing, or a line is not two paths.
    """
    if not split:
        raise InputError(f"{root}: expected the name of a list, such as 'train' for train.txt")
    spec = read_classes(root / "classes.txt")
    listed = root / f"{split}.txt"
    pairs = []
    for number, line in enumerate(read_names(listed), 1):
        if not line.strip():
            continue
        words = split_line(line)
        if len(words) != 2:
            raise InputError(
                f"{listed}: line {number} has {len(words)} paths, expected an image and its mask "
                "with a tab between them"
            )
        pairs.append((root / words[0], root / words[1]))
    missing = tuple(
        f"{path}: no such file, but {listed.name} lists it"
        for pair in pairs
        for path in pair
        if not path.is_file()
    )
    there = [pair for pair in pairs if pair[0].is_file() and pair[1].is_file()]
    examples = tuple(Example(path.stem, path, mask) for path, mask in there)
    named = tuple(
        replace(example, name=name)
        for example, name in zip(examples, unique_names([p for p, _ in there]), strict=True)
    )
    title = _common_folder([path for path, _ in there])
    return LabeledSet(
        title or root.resolve().name, named, spec, missing, classes_file=root / "classes.txt"
    )


def _common_folder(paths: list[Path]) -> str:
    """Name of the folder that all of these are in or below; "" where there is none."""
    try:
        return os.path.basename(os.path.commonpath([os.path.abspath(p.parent) for p in paths]))
    except ValueError:  # no paths, or on two drives
        return ""


def split_line(line: str) -> list[str]:
    r"""The paths of a line: between tabs, else between commas, else between spaces.

    Example:
        >>> split_line("my photo.jpg\tmy mask.png"), split_line("a.jpg, b.png")
        (['my photo.jpg', 'my mask.png'], ['a.jpg', 'b.png'])
    """
    for separator in ("\t", ","):
        if separator in line:
            return [word.strip() for word in line.split(separator)]
    return line.split()


def unique_names(paths: list[Path]) -> list[str]:
    """Names of images in different folders: their stems, with folders where stems are the same.

    Example:
        >>> unique_names([Path("a/1.png"), Path("b/1.png"), Path("b/2.png")])
        ['a_1', 'b_1', '2']
    """
    count = Counter(name_key(path.stem) for path in paths)
    names = []
    for path in paths:
        name = name_key(path.stem)
        if count[name] > 1:
            parts = [part for part in path.parent.parts if part.strip("./\\:")]
            name = name_key("_".join([*parts[-2:], path.stem]))
        names.append(name)
    return names
