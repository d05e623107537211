"""Which strokes belong to which image: two files, or two folders matched by stem."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from saccade.errors import InputError
from saccade.suffixes import IMAGE_SUFFIXES, LABEL_SUFFIXES

STROKE_SUFFIXES = LABEL_SUFFIXES | {".json", ".npy", ".xml"}
PAGE_SUFFIX = ".strokes.json"
"""What follows the stem of an image in the name of a file of `saccade serve`."""

_SHOWN = 5


@dataclass(frozen=True)
class Pair:
    """An image and the strokes over it."""

    image: Path
    strokes: Path


@dataclass(frozen=True)
class Pairing:
    """What was found: the pairs in the order of their names, and lines on what has no partner."""

    pairs: tuple[Pair, ...]
    remarks: tuple[str, ...] = ()
    single: bool = False


def pair_up(image: Path, strokes: Path) -> Pairing:
    """Pair one image with its strokes, or the files of two folders that share a stem.

    Raises:
        InputError: a path does not exist, one is a file and the other a folder, a stem stands
            for two files of one folder, or no two stems are the same.
    """
    for path in (image, strokes):
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    if image.is_dir() != strokes.is_dir():
        folder, file = (image, strokes) if image.is_dir() else (strokes, image)
        raise InputError(
            f"{folder} is a folder and {file} is a file; expected two files or two folders"
        )
    if not image.is_dir():
        return Pairing((Pair(image, strokes),), single=True)
    images = _by_stem(image, IMAGE_SUFFIXES)
    drawn = _drawn_by_stem(strokes, beside=image.resolve() == strokes.resolve())
    pairs = tuple(Pair(images[stem], drawn[stem]) for stem in sorted(images.keys() & drawn.keys()))
    if not pairs:
        raise InputError(
            f"{image} ({len(images)} images) and {strokes} ({len(drawn)} files with strokes) have "
            "no file name in common; a.jpg belongs to a.png, a.xml, a.json, a.npy or a.tif"
        )
    lonely = [
        _listed("images without strokes", (images[s] for s in images.keys() - drawn.keys())),
        _listed("strokes without an image", (drawn[s] for s in drawn.keys() - images.keys())),
    ]
    return Pairing(pairs, tuple(remark for remark in lonely if remark))


def pair_maps(images: Path, maps: Path) -> Pairing:
    """Pair the images of a folder with their localisation maps, NAME.npz.

    Raises:
        InputError: a stem stands for two images, or no two stems are the same.
    """
    found = _by_stem(images, IMAGE_SUFFIXES)
    known = _by_stem(maps, frozenset({".npz"}))
    pairs = tuple(Pair(found[stem], known[stem]) for stem in sorted(found.keys() & known.keys()))
    if not pairs:
        raise InputError(f"{images} and {maps} have no name in common; a.jpg belongs to a.npz")
    lonely = [
        _listed("images without a map", (found[s] for s in found.keys() - known.keys())),
        _listed("maps without an image", (known[s] for s in known.keys() - found.keys())),
    ]
    return Pairing(pairs, tuple(remark for remark in lonely if remark))


def _drawn_by_stem(folder: Path, *, beside: bool) -> dict[str, Path]:
    """Stroke files by the stem of their image; those of the page, NAME.strokes.json, come first.

    Where the strokes lie beside the images, nothing else can be told from an image.
    """
    paged = {
        path.name.removesuffix(PAGE_SUFFIX): path
        for path in sorted(folder.iterdir())
        if path.name.endswith(PAGE_SUFFIX) and not path.name.startswith(".")
    }
    if beside:
        return paged
    others = _by_stem(folder, STROKE_SUFFIXES)
    return {stem: path for stem, path in others.items() if path not in paged.values()} | paged


def _by_stem(folder: Path, suffixes: frozenset[str]) -> dict[str, Path]:
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in suffixes and not path.name.startswith("."):
            found[path.stem].append(path)
    for paths in found.values():
        if len(paths) > 1:
            names = " and ".join(path.name for path in paths)
            raise InputError(f"{folder}: {names} have the same stem; keep one of them there")
    return {stem: paths[0] for stem, paths in found.items()}


def _listed(what: str, paths: Iterable[Path]) -> str:
    names = sorted(path.name for path in paths)
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{more}"
