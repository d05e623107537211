"""Which mask belongs to which image, in a folder that nobody prepared for a training.

Five rules are tried, and the one that pairs most images is taken: words such as "mask" or "gt" in
the names of files or folders; the same name in two folders or with two suffixes; a name that is
another one with something before or after it; names that begin or end in two words; and list files
with two paths a line.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from saccade.data.examples import read_values
from saccade.data.listed import split_line
from saccade.data.pairing import MASK_SUFFIXES
from saccade.discovery.words import key_of, split_of
from saccade.errors import InputError
from saccade.files import read_names
from saccade.folders import is_hidden, name_key
from saccade.suffixes import IMAGE_SUFFIXES

MOST_FILES = 200_000
FEW_VALUES = 64
"""A mask has at most so many different values or colors; photographs have thousands."""

_SAMPLE = 5

Pair = tuple[Path, Path]


@dataclass(frozen=True)
class Pairs:
    """Images and their masks.

    Attributes:
        pairs: (image, mask), in the order of their names.
        rule: how they were found, in words.
        splits: the split of each pair, "train", "val", "test" or "" where nothing says so.
        others: images for which no mask was found.
    """

    pairs: tuple[Pair, ...]
    rule: str
    splits: tuple[str, ...] = ()
    others: tuple[Path, ...] = ()


def find_pairs(root: Path, without: Path | None = None) -> Pairs:
    """Pair the images below a folder with their masks.

    Args:
        root: the folder.
        without: a folder below it that is not looked at.

    Returns:
        The pairs; none where no rule finds any.

    Raises:
        InputError: the folder is missing, or has more files than are looked at.
    """
    files = [f for f in image_files(root) if without is None or without not in f.parents]
    listed = _by_lists(root)
    found = listed or max(
        (rule(root, files) for rule in _RULES), key=lambda f: len(f.pairs), default=Pairs((), "")
    )
    if not found.pairs:
        return Pairs((), "", others=tuple(files))
    used = {path for pair in found.pairs for path in pair}
    left = [f for f in files if f not in used and not key_of(f, root)[0]]
    splits = found.splits or tuple(split_of(image, root) for image, _ in found.pairs)
    return Pairs(found.pairs, found.rule, splits, tuple(left))


def image_files(root: Path, suffixes: Iterable[str] = IMAGE_SUFFIXES | MASK_SUFFIXES) -> list[Path]:
    """All files below a folder with some suffixes, those that systems put there left out.

    Raises:
        InputError: the folder is missing, or has more files than are looked at.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    wanted, found = set(suffixes), []
    for path in root.rglob("*"):
        hidden = any(is_hidden(part) for part in path.relative_to(root).parts)
        if path.suffix.lower() in wanted and not hidden and path.is_file():
            found.append(path)
            if len(found) > MOST_FILES:
                raise InputError(f"{root}: more than {MOST_FILES:,} images; name a smaller folder")
    return sorted(found)


def looks_like_masks(paths: list[Path]) -> bool:
    """Whether a few of these files have few values, as masks have and photographs have not."""
    return _typical_values(paths) <= FEW_VALUES


def _typical_values(paths: list[Path]) -> float:
    """Median number of different values or colors of a few of these files."""
    chosen = [paths[i] for i in sorted({*np.linspace(0, len(paths) - 1, _SAMPLE).astype(int)})]
    counts = []
    for path in chosen:
        if path.suffix.lower() not in MASK_SUFFIXES:
            return np.inf
        try:
            values = read_values(path)
        except InputError:
            return np.inf
        flat = values.reshape(-1, values.shape[2]) if values.ndim == 3 else values.reshape(-1, 1)
        counts.append(len(np.unique(flat.astype(np.int64) @ _WEIGHTS[: flat.shape[1]])))
    return float(np.median(counts))


_WEIGHTS = np.array([1, 1 << 16, 1 << 32])


def _by_words(root: Path, files: list[Path]) -> Pairs:
    """Pairs whose names are the same but for words such as "mask"."""
    keys = {path: key_of(path, root) for path in files}

    def matched(key: Callable[[Path], object]) -> list[Pair]:
        groups: dict[object, tuple[list[Path], list[Path]]] = defaultdict(lambda: ([], []))
        for path in files:
            groups[key(path)][keys[path][0]].append(path)
        return [(i[0], m[0]) for i, m in groups.values() if len(i) == len(m) == 1]

    exact = matched(lambda path: keys[path][1:])
    loose = matched(lambda path: keys[path][2])  # folders that are called by other words
    pairs = max(exact, loose, key=len)
    return Pairs(tuple(sorted(pairs)), "the name of a file or folder says what is a mask")


def _by_same_name(root: Path, files: list[Path]) -> Pairs:
    """Pairs of one stem in two folders, or with two suffixes; masks are those of few values."""
    groups: dict[tuple[Path, str], dict[str, Path]] = defaultdict(dict)
    for path in files:
        groups[path.parent, path.suffix.lower()][name_key(path.stem)] = path
    best: list[Pair] = []
    names = sorted(groups, key=str)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            common = sorted(groups[one].keys() & groups[other].keys())
            if len(common) > len(best):
                best = _oriented([(groups[one][s], groups[other][s]) for s in common]) or best
    return Pairs(tuple(best), "image and mask have the same name")


def _by_affix(root: Path, files: list[Path]) -> Pairs:
    """Pairs in one folder of which one name is the other with something before or after it."""
    by_folder: dict[Path, dict[str, Path]] = defaultdict(dict)
    for path in files:
        by_folder[path.parent].setdefault(name_key(path.stem), path)
    found: dict[tuple[bool, str], list[Pair]] = defaultdict(list)
    for stems in by_folder.values():
        for stem, path in stems.items():
            for cut in range(1, len(stem)):
                if stem[:cut] in stems:
                    found[False, stem[cut:]].append((stems[stem[:cut]], path))
                if stem[cut:] in stems:
                    found[True, stem[:cut]].append((stems[stem[cut:]], path))
    ranked = sorted(found.items(), key=lambda item: -len(item[1]))
    for (before, affix), pairs in ranked[:5]:
        if oriented := _oriented(pairs):
            where = "begins with" if before else "ends in"
            return Pairs(tuple(sorted(oriented)), f"one name of each pair {where} {affix!r}")
    return Pairs((), "")


def _by_two_affixes(root: Path, files: list[Path]) -> Pairs:
    """Pairs in one folder whose names differ in the words that they begin or end in."""
    groups: dict[tuple[Path, bool, str], list[tuple[str, Path]]] = defaultdict(list)
    for path in files:
        for before, affix, rest in _affixes(name_key(path.stem)):
            groups[path.parent, before, rest].append((affix, path))
    found: dict[tuple[bool, str, str], list[Pair]] = defaultdict(list)
    for (_, before, _), group in groups.items():
        if len(group) <= _ALIKE:
            for (one, first), (other, second) in combinations(sorted(group), 2):
                found[before, one, other].append((first, second))
    ranked = sorted(found.items(), key=lambda item: -len(item[1]))
    for (before, *affixes), pairs in ranked[:5]:
        if len(pairs) > 1 and (oriented := _oriented(pairs)):
            of_images, of_masks = affixes if oriented is pairs else affixes[::-1]
            where = "begin with" if before else "end in"
            rule = f"names of images {where} {of_images!r}, of masks {of_masks!r}"
            return Pairs(tuple(sorted(oriented)), rule)
    return Pairs((), "")


_ALIKE = 6
"""So many names may be the same but for a word: an image, its mask, a depth map, ..."""


def _affixes(stem: str) -> Iterable[tuple[bool, str, str]]:
    """(whether it is before, a word or two with what parts them, what is left) of a name.

    >>> list(_affixes("cam_07"))
    [(False, '_07', 'cam'), (True, 'cam_', '07')]
    """
    gaps = [match.span() for match in re.finditer(r"(?<=[^ _.\-])[ _.\-]+(?=[^ _.\-])", stem)]
    for start, _ in gaps[-2:]:
        yield False, stem[start:], stem[:start]
    for _, end in gaps[:2]:
        yield True, stem[:end], stem[end:]


_RULES = (_by_words, _by_same_name, _by_affix, _by_two_affixes)


def _oriented(pairs: list[Pair]) -> list[Pair]:
    """Pairs turned so that the mask comes second; nothing where neither side has masks."""
    values = [_typical_values([pair[side] for pair in pairs]) for side in (0, 1)]
    if min(values) > FEW_VALUES:
        return []
    return pairs if values[1] <= values[0] else [(b, a) for a, b in pairs]


def _by_lists(root: Path) -> Pairs | None:
    """Pairs of list files: a line has an image and a mask, relative to the list or to `root`."""
    pairs: dict[Pair, str] = {}
    names: list[str] = []
    for path in sorted([*root.glob("*.txt"), *root.glob("*.csv"), *root.glob("*/*.txt")]):
        found = _listed_pairs(path, root)
        if found:
            names.append(path.name)
            split = split_of(Path(root, path.stem, "x"), root)
            pairs.update({pair: pairs.get(pair) or split for pair in found})
    if not pairs:
        return None
    count = Counter(pair[0] for pair in pairs)
    if max(count.values()) > 1:
        return None
    return Pairs(tuple(pairs), f"listed in {', '.join(names)}", tuple(pairs.values()))


def _listed_pairs(path: Path, root: Path) -> list[Pair]:
    try:
        lines = [split_line(line) for line in read_names(path) if line.strip()]
    except InputError:
        return []
    pairs = []
    for words in lines:
        if len(words) != 2 or not {Path(w).suffix.lower() for w in words} <= _KNOWN:
            continue
        for folder in (path.parent, root):
            image, mask = (folder / word.lstrip("/") for word in words)
            if image.is_file() and mask.is_file():
                pairs.append((image, mask))
                break
    return pairs if len(pairs) > len(lines) / 2 else []


_KNOWN = IMAGE_SUFFIXES | MASK_SUFFIXES
