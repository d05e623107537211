"""NumPy files, where the header of a small file may promise any size."""

import os
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import check_readable, reading

MAX_ARCHIVE = 64 * 2**20
"""Bytes of all arrays of an `.npz` file together; localization maps have a hundredth of it."""


def read_npy(path: str | os.PathLike[str]) -> NDArray[Any]:
    """The array of an `.npy` file, mapped: a header that promises terabytes allocates nothing.

    Raises:
        InputError: the file is missing, or no array of plain values.
    """
    path = check_readable(path)
    with reading(path, "not a NumPy array that can be read"):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("an archive of arrays")
        return array


def read_npz(path: str | os.PathLike[str], keys: Sequence[str], what: str) -> list[NDArray[Any]]:
    """Some arrays of an `.npz` file.

    Args:
        path: of the file.
        keys: names of the arrays.
        what: to say of a file that has not all of them.

    Raises:
        InputError: the file is missing, damaged, lacks an array, or unpacks to more than
            `MAX_ARCHIVE`.
    """
    path = check_readable(path)
    try:
        with reading(path, what):
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > MAX_ARCHIVE:
                    raise ValueError(f"more than {MAX_ARCHIVE >> 20} MB")
            with np.load(path, allow_pickle=False) as content:
                arrays = [content[key] for key in keys]
            if not all(isinstance(array, np.ndarray) for array in arrays):
                raise ValueError("something that is no array")
            return arrays
    except MemoryError as error:  # the archive is small, so a header does not say the truth
        raise InputError(f"{path}: {what} (an array of absurd size)") from error
