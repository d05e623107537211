"""Folders that are no folders of this machine: s3://, gs://, sftp:// and whatever fsspec knows.

A path there is an object of universal_pathlib, which behaves as a `pathlib.Path` does but cannot be
opened by its name. This module is the border: a file is written on this machine, and put there when
it is whole; folders need not be made.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from saccade.errors import InputError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # a drive has one letter


def path_of(text: str) -> Path:
    """The path that a text names, on this machine or, as PROTOCOL://..., elsewhere.

    Raises:
        InputError: a package is missing, or nobody knows the protocol.

    Example:
        >>> path_of("out/masks").as_posix()
        'out/masks'
    """
    if not _URL.match(text):
        return Path(text)
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    if find_spec("upath") is None:
        raise InputError(
            f"{text}: universal_pathlib is not installed; pip install 'saccade[remote]' brings it"
        )
    from upath import UPath

    try:
        # What others wrote since a folder was listed has to be seen.
        path = UPath(text, use_listings_cache=False)
        path.fs  # noqa: B018 (it is made here)
    except (ImportError, ValueError) as error:
        raise InputError(f"{text}: cannot be used ({_line(error)})") from error
    return cast(Path, path)


def is_remote(path: object) -> bool:
    """Whether a path is one that this machine's system cannot open.

    Example:
        >>> is_remote(Path("out")), is_remote(path_of("memory://out"))
        (False, True)
    """
    return not isinstance(path, str | os.PathLike)


def is_in_memory(path: Path) -> bool:
    """Whether a path is in the memory of this process, which no other one sees.

    Example:
        >>> is_in_memory(Path("out")), is_in_memory(path_of("memory://out"))
        (False, True)
    """
    return is_remote(path) and cast(Any, path).protocol == "memory"


def local_path_of(text: str) -> Path:
    """The path that a text names on this machine.

    Raises:
        InputError: it is one elsewhere.
    """
    path = path_of(text)
    if is_remote(path):
        raise InputError(f"{text}: expected a file or folder of this machine here")
    return path


def make_folders(folder: Path) -> None:
    """Make a folder and those above it where they are missing; elsewhere a file makes its own."""
    if not is_remote(folder):
        folder.mkdir(parents=True, exist_ok=True)


def check_writable(folder: Path) -> None:
    """Write a file to a folder elsewhere and remove it, before work that could not be kept.

    Raises:
        InputError: the store is not there, or does not let us.
    """
    probe = folder / f".{secrets.token_hex(8)}.part"
    with reaching(folder):
        _fs(probe).pipe_file(_name(probe), b"saccade")
        _fs(probe).rm_file(_name(probe))


@contextmanager
def putting(path: Path) -> Iterator[Path]:
    """Give a file of this machine that is put to `path` elsewhere when the block ends well.

    Raises:
        InputError: it cannot be put there. Where something was there before, it stays.
    """
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / f"new{path.suffix}"
        temporary.touch()
        yield temporary
        with reaching(path), _fs(path).transaction:  # half a file is never seen
            _fs(path).put_file(str(temporary), _name(path))


def fetch(path: Path, target: Path) -> None:
    """Copy a file from elsewhere to one of this machine.

    Raises:
        InputError: it is not there, or cannot be reached.
    """
    with reaching(path):
        _fs(path).get_file(_name(path), str(target))


def version_of(path: Path) -> str:
    """What changes whenever a file elsewhere does.

    Raises:
        InputError: it is not there, or cannot be reached.
    """
    with reaching(path):
        return str(_fs(path).ukey(_name(path)))


def is_folder(path: Path) -> bool:
    """Whether a path is a folder, here or elsewhere.

    Raises:
        InputError: the store cannot be reached.

    Example:
        >>> is_folder(Path(".")), is_folder(path_of("memory://nowhere"))
        (True, False)
    """
    if not is_remote(path):
        return path.is_dir()
    with reaching(path):
        return bool(_fs(path).isdir(_name(path)))


def check_there(path: Path) -> Path:
    """Return the path of a file elsewhere after making sure that it is there.

    Raises:
        InputError: it is missing, a folder, or empty, or the store cannot be reached.
    """
    with reaching(path):
        if _fs(path).isdir(_name(path)):
            raise InputError(f"{path}: is a folder, expected a file")
        if not _fs(path).exists(_name(path)):
            raise InputError(f"{path}: no such file")
        if _fs(path).size(_name(path)) == 0:
            raise InputError(f"{path}: the file is empty")
    return path


def entries_in(folder: Path) -> list[tuple[Path, bool]]:
    """What is in a folder elsewhere, in the order of the names, and whether it is a file.

    Raises:
        InputError: there is no such folder, or it cannot be reached.
    """
    with reaching(folder):
        if not _fs(folder).isdir(_name(folder)):
            raise InputError(f"{folder}: no such folder")
        listed = _fs(folder).ls(_name(folder), detail=True)
    own = _name(folder).strip("/")  # some stores list the folder itself
    found = {
        one["name"].rstrip("/").rpartition("/")[2]: one["type"] == "file"
        for one in listed
        if one["name"].strip("/") != own
    }
    return [(folder / name, found[name]) for name in sorted(found)]


def modified(path: Path) -> float:
    """When a file was written last, in seconds of the clock of where it lies.

    Example:
        >>> _ = Path("a.png").write_text("a")
        >>> modified(Path("a.png")) == Path("a.png").stat().st_mtime
        True
    """
    if not is_remote(path):
        return path.stat().st_mtime
    with reaching(path):
        return float(_fs(path).modified(_name(path)).timestamp())


def names_in(folder: Path) -> list[str]:
    """Names of what is in a folder, in any order; none where it does not exist.

    Example:
        >>> names_in(Path("missing"))
        []
    """
    if not is_remote(folder):
        return os.listdir(folder) if folder.is_dir() else []
    with reaching(folder):
        try:
            found = _fs(folder).ls(_name(folder), detail=False)
        except FileNotFoundError:
            return []
    return [name.rstrip("/").rpartition("/")[2] for name in found]


@contextmanager
def reaching(path: object) -> Iterator[None]:
    """Make one line of whatever a store raises.

    Raises:
        InputError: something was raised inside.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # each has its own
        raise InputError(f"{path}: cannot be reached or written ({_line(error)})") from error


def _fs(path: Path) -> Any:
    return cast(Any, path).fs


def _name(path: Path) -> str:
    return str(cast(Any, path).path)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
