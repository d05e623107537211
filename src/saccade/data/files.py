"""Files: one check before reading, one way of writing that never leaves half a file behind."""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from saccade.errors import InputError


def check_readable(path: str | os.PathLike[str]) -> Path:
    """Return `path` as a `Path` after making sure that it is a file with something in it.

    Raises:
        InputError: nothing is there, it is a folder, it is empty, or it may not be read.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, expected a file")
        if not path.exists():
            raise InputError(f"{path}: no such file")
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty")
    except (OSError, ValueError) as error:  # a name too long, a NUL byte in it, a closed folder
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r}: cannot be read ({one_line(error)})") from error
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: may not be read (permission denied)")
    return path


def one_line(error: BaseException) -> str:
    """Return the message of `error` on one line, or the name of its type if it has none."""
    return " ".join(str(error).split()) or type(error).__name__


def digest_of(*paths: Path) -> str:
    """16 hexadecimal digits that change with what is in the files."""
    found = hashlib.sha256()
    for path in paths:
        with open(check_readable(path), "rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:16]


def refuse_to_replace(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise InputError where a file that is to be written is one that is to be read.

    Args:
        outputs: files that will be written; they need not exist.
        inputs: files that must stay as they are.
    """
    kept = {os.path.realpath(path) for path in inputs}
    for path in outputs:
        if os.path.realpath(path) in kept:
            raise InputError(f"{path}: is an input and would be replaced; give -o another folder")


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path beside `path` that becomes `path` when the block ends well.

    The temporary file is in the same folder, so that the rename is atomic, and has the same
    suffix, so that a writer can tell the format from it. Whatever leaves the block as an
    exception, KeyboardInterrupt included, removes the temporary file and leaves an older
    `path` as it was. A symbolic link is written through, not replaced.

    Raises:
        InputError: the folder of `path` does not exist, or `path` is itself a folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InputError(f"{path}: is a folder, expected the name of a file to write")
    if not target.parent.is_dir():
        raise InputError(f"{path}: cannot be written, there is no folder {target.parent}")
    temporary = target.with_name(f".{secrets.token_hex(8)}.part{target.suffix}")
    try:
        yield temporary
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
