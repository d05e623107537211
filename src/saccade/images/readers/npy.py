"""Arrays of NumPy's own files, mapped."""

from pathlib import Path

from saccade.errors import InputError
from saccade.images.arrays import read_npy
from saccade.images.axes import guessed_axes, plain_axes
from saccade.images.image import Image


def open_npy(path: Path, *, axes: str | None = None) -> Image:
    """Open an array; nothing but its header is read.

    Raises:
        InputError: damaged, no real numbers, or axes that have to be said.
    """
    array = read_npy(path)
    if array.dtype.kind not in "buif":
        raise InputError(f"{path}: data type {array.dtype}, expected integers, floats or bool")
    if axes is None:
        letters, remarks = guessed_axes(path, array.shape)
    else:
        letters, remarks = plain_axes(path, axes, array.shape, told=True)
    colors = "C" in letters and array.shape[letters.index("C")] == 3 and array.ndim == 3
    return Image(array, letters, colors=colors, remarks=remarks, source=path, kind="npy")
