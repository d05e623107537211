"""Inputs that lie elsewhere: read as copies on this machine, called by their own names.

Readers of images and strokes open files by name, which a store has not. `copied` is the border: a
file is fetched whole when it is worked on, and a few that were worked on last are kept, since each
is opened more than once.
"""

import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Lock

from saccade.errors import InputError
from saccade.stores import fetch, is_remote, version_of

_KEPT = 8
_Version = tuple[str, str]

_copies: OrderedDict[_Version, Path] = OrderedDict()
_folders: list[tempfile.TemporaryDirectory[str]] = []
_numbers = count()
_changing = Lock()


@contextmanager
def copied(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Give files of this machine for paths: themselves, or copies of what lies elsewhere.

    A copy has the name of its file, in a folder of its own. An `InputError` of the block that names
    the copy names the file instead.

    Raises:
        InputError: a store cannot be reached, or has no such file.

    Example:
        >>> from saccade.stores import path_of
        >>> file = path_of("memory://photos/a.txt")
        >>> _ = file.write_text("words")
        >>> with copied(Path("here.txt"), file) as (here, copy):
        ...     here.as_posix(), copy.name, copy.read_text()
        ('here.txt', 'a.txt', 'words')
    """
    copies = tuple(_copy_of(path) if is_remote(path) else path for path in paths)
    try:
        yield copies
    except InputError as error:
        said = text = str(error)
        for path, copy in zip(paths, copies, strict=True):
            text = text.replace(str(copy), str(path))
        if text == said:
            raise
        raise InputError(text) from error


def _copy_of(path: Path) -> Path:
    """The copy of a file as it is now; those that were asked for longest ago are removed."""
    version = str(path), version_of(path)
    with _changing:
        copy = _copies.get(version)
        if copy is None or not copy.is_file():
            if not _folders:
                _folders.append(tempfile.TemporaryDirectory(prefix="saccade-"))
            copy = Path(_folders[0].name) / str(next(_numbers)) / path.name
            copy.parent.mkdir()
            fetch(path, copy)
            _copies[version] = copy
        _copies.move_to_end(version)
        while len(_copies) > _KEPT:
            shutil.rmtree(_copies.popitem(last=False)[1].parent, ignore_errors=True)
    return copy
