"""Words in the names of files and folders by which people tell masks from images."""

import re
from pathlib import Path

from saccade.folders import name_key

MASKS = frozenset(
    {
        *("mask", "masks", "label", "labels", "labeled", "labelled", "annotation", "annotations"),
        *("annotated", "annot", "segmentation", "segmentations", "seg", "segm", "gt", "truth"),
        *("groundtruth", "ground", "target", "targets", "lbl", "labelids", "trainids", "manual"),
        *("annots", "colormask", "class", "classes", "segmentationclass", "indexed"),
    }
)
IMAGES = frozenset(
    {
        *("image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "raw"),
        *("rgb", "input", "inputs", "im", "ims", "frame", "frames", "jpegimages", "stills"),
    }
)
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""Names of folders -> the split that they hold."""

_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_GLUED = re.compile(r"(train|val|test)(annot|masks?|labels?|gt|images?)$")


def tokens(name: str) -> list[str]:
    """The words of a name, in lower case.

    Example:
        >>> tokens("Img_07-groundTruth"), tokens("trainannot")
        (['img', '07', 'ground', 'truth'], ['train', 'annot'])
    """
    found = [token.lower() for token in _TOKEN.findall(name_key(name))]
    return [part for token in found for part in (_GLUED.sub(r"\1 \2", token).split())]


def key_of(path: Path, root: Path) -> tuple[bool, tuple[str, ...], str]:
    """Whether a name says that it is a mask, and what is left without such words.

    Args:
        path: of the file.
        root: folder above it, whose own name says nothing.

    Returns:
        Whether file or folder has a word for masks; the names of the folders without these words
        and without those for images, empty ones left out; and the stem without them.

    Example:
        >>> key_of(Path("d/masks/train/07_gt.png"), Path("d"))
        (True, ('train',), '07')
        >>> key_of(Path("d/images/train/07.jpg"), Path("d"))
        (False, ('train',), '07')
    """
    *folders, name = path.relative_to(root).parts
    words = [tokens(part) for part in folders]
    stem = tokens(Path(name).stem)
    if stem[-1:] == ["l"] and any(not MASKS.isdisjoint(part) for part in words):
        stem.pop()  # CamVid's masks end so
    is_mask = any(not MASKS.isdisjoint(part) for part in (*words, stem))
    kept = ("_".join(w for w in part if w not in MASKS | IMAGES) for part in words)
    left = "_".join(word for word in stem if word not in MASKS | IMAGES)
    return is_mask, tuple(part for part in kept if part), left


def split_of(path: Path, root: Path) -> str:
    """The split that the folders of a file name: "train", "val", "test", or "".

    Example:
        >>> split_of(Path("d/images/valid/1.png"), Path("d")), split_of(Path("d/1.png"), Path("d"))
        ('val', '')
    """
    for part in path.relative_to(root).parts[:-1]:
        for word in tokens(part):
            if word in SPLITS:
                return SPLITS[word]
    return ""
