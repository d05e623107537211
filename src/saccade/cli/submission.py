"""What PASCAL VOC's evaluation server takes: results/VOC2012/Segmentation/comp6_test_cls/ID.png."""

import tarfile
from collections.abc import Sequence
from pathlib import Path

from saccade.copies import copied
from saccade.errors import InputError
from saccade.files import atomic_write, read_names
from saccade.folders import name_key
from saccade.stores import check_writable, is_remote

FOLDER = "results/VOC2012/Segmentation/comp6_test_cls"
"""comp6: trained on anything but the test images; comp5 would be VOC's train and val alone."""

_SUFFIXES = (".tgz", ".tar.gz", ".tar")


def choose_listed(files: Sequence[Path], listed: Path) -> list[Path]:
    """The files that a list names, an id a line, in its order.

    Args:
        files: all there are.
        listed: like ImageSets/Segmentation/test.txt; of two words a line the first counts.

    Raises:
        InputError: a line without a file, or no line at all.
    """
    by_name = {name_key(file.stem): file for file in files}
    words = [line.split()[0] for line in read_names(listed) if line.split()]
    names = [name_key(Path(word).stem if "/" in word else word) for word in words]
    missing = [name for name in names if name not in by_name]
    if missing:
        raise InputError(
            f"{listed}: {len(missing)} of {len(names)} lines have no image among the {len(files)} "
            f"given, {missing[0]!r} for one"
        )
    if not names:
        raise InputError(f"{listed}: no lines, expected the name of an image in each")
    return [by_name[name] for name in dict.fromkeys(names)]


def check_submission(path: Path, classes: Sequence[str]) -> None:
    """Refuse what the server would not take, before anything is segmented.

    Raises:
        InputError: no archive of tar, a folder that is not there, or a network of other classes.
    """
    from saccade.data.known import VOC
    from saccade.data.specs import class_difference

    if not path.name.endswith(_SUFFIXES):
        raise InputError(
            f"--submission is {path.name!r}, expected a name in {', '.join(_SUFFIXES)}"
        )
    if is_remote(path):
        check_writable(path.parent)
    elif not path.resolve().parent.is_dir():
        raise InputError(f"--submission is {path}, but there is no folder {path.parent}")
    other = class_difference(tuple(classes), VOC.names, "VOC")
    if other:
        raise InputError(f"--submission is for VOC's server, but the network {other}")


def pack_submission(path: Path, masks: Sequence[Path]) -> None:
    """Write the archive that the server takes."""
    mode = "w" if path.name.endswith(".tar") else "w:gz"
    with atomic_write(path) as part, tarfile.open(part, mode) as archive:  # type: ignore[call-overload]
        for mask in masks:
            with copied(mask) as (file,):
                archive.add(file, f"{FOLDER}/{mask.name}", recursive=False)
