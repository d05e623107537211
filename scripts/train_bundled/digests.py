"""Digests of folders of data: does a machine have the photographs that a recipe means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from saccade.errors import InputError
from scripts.train_bundled.settings import DataSet


def files_of(folder: Path) -> list[Path]:
    """The files in a folder and below it, but for hidden ones.

    Raises:
        InputError: there is no such folder, or it has no files.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; --data must be the root of the data")
    found = [
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    ]
    if not found:
        raise InputError(f"{folder}: has no files, must have a set of photographs or masks")
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def digest_of_folder(folder: Path) -> str:
    """SHA-256 over the sorted relative names of the files and the SHA-256 of each.

    Raises:
        InputError: there is no such folder, or it has no files.
    """
    found = hashlib.sha256()
    for path in files_of(folder):
        with open(path, "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        found.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return found.hexdigest()


def check_data(sets: Iterable[DataSet], root: Path) -> None:
    """Compare all folders with the digests of a recipe.

    Raises:
        InputError: a folder is missing or holds something else; the message names the first one
            and gives its digest.
    """
    for data in sets:
        for name, wanted in data.folders.items():
            found = digest_of_folder(root / name)
            if found != wanted:
                raise InputError(  # short: all of the digest must be seen, to copy it
                    f"{root / name}: its digest is {found}, the recipe's of {data.name} is "
                    f"{wanted[:12]}...; use the same files or another recipe"
                )
