"""Which image belongs to which mask: two folders, or a list file.

Names are compared in Unicode's composed form, as macOS writes "é" in two letters. Two files of
one name, 0.jpg and 0.png, are refused: whichever is taken, somebody means the other.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from saccade.data.examples import Example, LabeledSet
from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import read_names
from saccade.folders import list_files, name_key
from saccade.suffixes import IMAGE_SUFFIXES, LABEL_SUFFIXES

MASK_SUFFIXES = LABEL_SUFFIXES | {".mat"}

_KNOWN = {*IMAGE_SUFFIXES, *MASK_SUFFIXES}

Files = dict[str, list[Path]]
"""All files of each name."""


def pair_up(title: str, images: Path, masks: Path, spec: LabelSpec) -> LabeledSet:
    """Examples of two folders, matched by stem, in the order of their names.

    Raises:
        InputError: a folder is missing, or two files have one name.
    """
    pictures, labels = by_stem(images), by_stem(masks)
    images_only = {s: [p for p in f if p.suffix.lower() != ".mat"] for s, f in pictures.items()}
    image_of = {s: found for s, found in images_only.items() if found}
    require_unique([*image_of.values(), *(labels[s] for s in image_of if s in labels)])
    examples, missing, unmasked = [], [], []
    for stem, (path,) in image_of.items():
        mask = labels.get(stem, [path])[0]
        if stem in labels and mask.suffix.lower() in MASK_SUFFIXES:
            examples.append(Example(stem, path, mask))
        else:
            other = f"; {mask.name} is of no format for masks" if stem in labels else ""
            missing.append(f"{path}: no mask {stem}.png in {masks}{other}")
            unmasked.append(Example(stem, path, masks / f"{stem}.png"))
    unused = sorted(set(labels) - set(image_of))
    remarks = (
        [f"{len(unused)} masks have no image, {labels[unused[0]][0].name} for one"]
        if unused
        else []
    )
    remarks += [line for folder in (images, masks) for line in list_files(folder, _KNOWN).remarks]
    return LabeledSet(
        title,
        tuple(examples),
        spec,
        tuple(missing),
        tuple(remarks),
        unmasked=tuple(unmasked),
    )


def by_stem(folder: Path, ending: str = "") -> Files:
    """The images and masks of a folder by their stems without an ending that all have.

    Raises:
        InputError: the folder is missing.
    """
    files: Files = {}
    for path in list_files(folder, _KNOWN).files:
        if path.stem.endswith(ending):
            files.setdefault(composed(path.stem.removesuffix(ending)), []).append(path)
    return files


def composed(name: str) -> str:
    """A name in the form in which names are compared."""
    return name_key(name)


def require_unique(files: Iterable[list[Path]]) -> None:
    """Raise InputError where a name has several files."""
    several = [found for found in files if len(found) > 1]
    if several:
        first, second = several[0][:2]
        more = f" (and {len(several) - 1} more names)" if len(several) > 1 else ""
        raise InputError(
            f"{first} and {second.name}: two files of one name, expected one; move the other "
            f"to another folder{more}"
        )


def require_names(examples: Iterable[Example]) -> None:
    """Raise InputError where two examples have one name: masks and labels go by name."""
    examples = list(examples)
    count = Counter(example.name for example in examples)
    twice = [example for example in examples if count[example.name] > 1]
    if twice:
        first, second = twice[0], next(e for e in twice[1:] if e.name == twice[0].name)
        same = first.image == second.image
        raise InputError(
            f"{first.image}: listed twice, expected once"
            if same
            else f"{first.image} and {second.image}: two images of one name, expected one"
        )


def pair_listed(
    listed: Path, root: Path, images: str, masks: str
) -> tuple[tuple[Example, ...], tuple[str, ...]]:
    """Examples of a list file, an id a line or the paths of image and mask; what is missing.

    Raises:
        InputError: the list or a folder is missing, or two files have the name of a line.
    """
    pictures: Files | None = None
    labels: Files | None = None
    examples, missing = [], []
    for line in read_names(listed):
        words = line.split()
        if not words:
            continue
        if len(words) == 2:
            image, mask = (root / word.lstrip("/") for word in words)
        else:
            pictures = by_stem(root / images) if pictures is None else pictures
            labels = by_stem(root / masks) if labels is None else labels
            name = composed(words[0])
            found = [files.get(name, []) for files in (pictures, labels)]
            require_unique(found)
            image = (*found[0], root / images / f"{words[0]}.jpg")[0]
            mask = (*found[1], root / masks / f"{words[0]}.png")[0]
        absent = [path for path in (image, mask) if not _is_file(path)]
        missing += [f"{path}: no such file, but {listed.name} lists it" for path in absent]
        if not absent:
            examples.append(Example(composed(image.stem), image, mask))
    return tuple(examples), tuple(missing)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False
