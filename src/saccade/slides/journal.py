"""What is finished of long work, in files: whoever does it again goes on where it was."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.files import atomic_write
from saccade.strict_json import json_text, stored_json

Arrays = Mapping[str, NDArray[Any]]


class Journal:
    """Arrays by name, each computed once, whatever stops the work in between.

    A step uses what the file says also where it has just been computed, so that the result is the
    same however often the work was stopped.

    Args:
        folder: where files are kept; it is made with the first of them.
        version: what decides on the arrays. What is there of another is forgotten.

    >>> journal = Journal(Path("kept"), {"seed": 0})
    >>> journal.recall("a", lambda: {"x": np.arange(3)})["x"].tolist()
    [0, 1, 2]
    >>> Journal(Path("kept"), {"seed": 0}).recall("a", dict)["x"].tolist()
    [0, 1, 2]
    >>> Journal(Path("kept"), {"seed": 1}).count
    0
    """

    def __init__(self, folder: Path, version: Mapping[str, object]) -> None:
        self.folder, self._version = folder, json_text(dict(version))
        made = folder / _MADE
        if not made.is_file() or json_text(stored_json(made)) != self._version:
            self.forget()

    @property
    def count(self) -> int:
        """How many arrays or groups of them are there."""
        return len(list(self.folder.glob("*.npz")))

    def recall(self, name: str, compute: Callable[[], Arrays], *, small: bool = False) -> Arrays:
        """The arrays of a name, as the file has them; computed where there are none.

        Args:
            name: of a file.
            compute: called where it is not there, or damaged.
            small: whether to spend time on a smaller file.
        """
        path = self.folder / f"{name}.npz"
        if path.is_file():
            with suppress(*_DAMAGED):
                return _read(path)
        found = compute()
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            with atomic_write(self.folder / _MADE) as temporary:
                temporary.write_text(self._version, "utf-8")
        save = np.savez_compressed if small else np.savez
        with atomic_write(path) as temporary, open(temporary, "wb") as file:
            save(file, **found)  # type: ignore[arg-type]
        return found

    def forget(self) -> None:
        """Remove everything; what cannot be removed is an error, it would be taken for this."""
        if self.folder.exists():
            shutil.rmtree(self.folder)


_MADE = "made.json"

_DAMAGED = (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading a file raises that is computed again; a disk that cannot be read is an error."""


def _read(path: Path) -> Arrays:
    with open(path, "rb") as file, np.load(file) as known:
        return {name: known[name] for name in known.files}
