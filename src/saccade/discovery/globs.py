"""Images and masks that somebody names by two patterns."""

import re
from collections.abc import Iterable
from pathlib import Path

from saccade.data.pairing import MASK_SUFFIXES
from saccade.discovery.pairs import Pair, Pairs, image_files
from saccade.discovery.words import split_of
from saccade.errors import InputError


def pairs_of_globs(root: Path, images: str, masks: str) -> Pairs:
    """Pairs of image and mask in whose paths the stars of both patterns stand for the same.

    Args:
        root: the folder that patterns start at.
        images: such as ``"raw/*.tif"`` or ``"**/*_img.png"``.
        masks: such as ``"labels/*_gt.png"``, with as many stars.

    Raises:
        InputError: patterns with other numbers of stars or none, that match nothing, or several
            files for one place; or no image has a mask.
    """
    count = len(_STARS.findall(images))
    if count == 0 or count != len(_STARS.findall(masks)):
        raise InputError(
            f"--images {images} and --masks {masks}: expected as many * in both, at least one; "
            "what they stand for says which mask is whose"
        )
    files = image_files(root)
    found = _matched(root, files, images, "--images")
    chosen = _matched(root, files, masks, "--masks")
    wrong = [path for path in chosen.values() if path.suffix.lower() not in MASK_SUFFIXES]
    if wrong:
        raise InputError(f"{wrong[0]}: is no mask, must be one of {', '.join(MASK_SUFFIXES)}")
    pairs: list[Pair] = [(found[key], chosen[key]) for key in found if key in chosen]
    if not pairs:
        raise InputError(
            f"--images {images} and --masks {masks}: no mask fits an image; the first ones are "
            f"{next(iter(found.values()))} and {next(iter(chosen.values()))}"
        )
    others = tuple(path for key, path in found.items() if key not in chosen)
    splits = tuple(split_of(image, root) for image, _ in pairs)
    return Pairs(tuple(pairs), f"{images} with {masks}", splits, others)


_STARS = re.compile(r"\*\*/|\*")


def pattern_of(glob: str) -> "re.Pattern[str]":
    """A pattern with a group for each star.

    ``*`` is anything within a name, ``**/`` are any folders.

    Example:
        >>> pattern_of("raw/*_img.png").fullmatch("raw/7_img.png").groups()
        ('7',)
        >>> pattern_of("**/*.png").fullmatch("a/b/7.png").groups()
        ('a/b/', '7')
    """
    text = "".join(
        {"**/": "((?:[^/]+/)*)", "*": "([^/]*)"}.get(part, re.escape(part))
        for part in re.split(r"(\*\*/|\*)", glob)
    )
    return re.compile(text)


def _matched(
    root: Path, files: Iterable[Path], glob: str, option: str
) -> dict[tuple[str, ...], Path]:
    pattern = pattern_of(glob)
    found: dict[tuple[str, ...], Path] = {}
    for path in files:
        match = pattern.fullmatch(path.relative_to(root).as_posix())
        if match is None:
            continue
        other = found.setdefault(match.groups(), path)
        if other != path:
            raise InputError(f"{option} {glob}: {other} and {path} stand for the same")
    if not found:
        raise InputError(f"{option} {glob}: matches no image below {root}")
    return found
