"""Files that are imported: read on a thread, or, where that could take long, in a process.

A parser of JSON holds the interpreter until it is done, which nobody else should wait for, and
cannot be stopped; a process can.
"""

import pickle
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Literal

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.labels import AnnotatedImage
from saccade.formats.masks import read_annotation
from saccade.scribbles.strokes import MaskLikeError, Strokes
from saccade.serve.uploads import read_upload

Kind = Literal["strokes", "mask"]

_INLINE_BYTES = 200_000
_SECONDS = 60.0
_TEXT_STARTS = (b"{", b"[", b"<", b"\xef\xbb\xbf")


def read_import(data: bytes, name: str, kind: Kind, size: tuple[int, int]) -> Any:
    """Read an uploaded file as strokes or as a mask of an image of (H, W) `size`.

    Returns:
        `Strokes` or `AnnotatedImage`; messages call the file `name`.

    Raises:
        InputError: it cannot be read, or takes more than a minute.
    """
    read = _read_apart if _is_long_text(data) else _read
    return read_upload(data, name, partial(read, kind=kind, size=size))


def _is_long_text(data: bytes) -> bool:
    return len(data) > _INLINE_BYTES and data[:100].lstrip().startswith(_TEXT_STARTS)


def _read(path: Path, kind: Kind, size: tuple[int, int]) -> Strokes | AnnotatedImage:
    if kind == "mask":
        return read_annotation(path, shape=size)
    try:
        return read_any_strokes(path, shape=size)
    except MaskLikeError as error:  # the command line has options for it, this has not
        raise InputError(
            f"{path}: not strokes, but regions {error.reason}; import it as a mask (as=mask)"
        ) from error


def _read_apart(path: Path, kind: Kind, size: tuple[int, int]) -> Strokes | AnnotatedImage:
    """`_read` in a process of its own."""
    with tempfile.TemporaryFile() as answer:
        command = [sys.executable, "-m", "saccade.serve.reading", str(path), kind, *map(str, size)]
        try:
            subprocess.run(
                command, stdout=answer, stderr=subprocess.PIPE, timeout=_SECONDS, check=True
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"{path}: takes more than {_SECONDS:.0f} s to read, expected fewer shapes"
            ) from error
        except subprocess.CalledProcessError as error:
            raise InputError(f"{path}: cannot be read (its reader failed)") from error
        answer.seek(0)
        found = pickle.load(answer)
    if isinstance(found, str):
        raise InputError(found)
    assert isinstance(found, Strokes | AnnotatedImage)
    return found


def _answer(path: str, kind: Kind, height: str, width: str) -> None:
    """What the process does: the result, or a message, to its output."""
    found: Strokes | AnnotatedImage | str
    try:
        found = _read(Path(path), kind, (int(height), int(width)))
    except InputError as error:
        found = error.full
    pickle.dump(found, sys.stdout.buffer, protocol=5)


if __name__ == "__main__":
    _answer(*sys.argv[1:])  # type: ignore[arg-type]
