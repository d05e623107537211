"""The names that files give their axes, as the letters T, Z, C, Y and X."""

from collections.abc import Sequence

from saccade.errors import InputError
from saccade.images.image import AXES

_FEWEST_PIXELS = 5  # an axis of fewer entries at either end of an array has channels


def plain_axes(
    where: object, letters: str, shape: Sequence[int], *, told: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Axes as `Image.axes` has them, and remarks.

    Args:
        where: the file, for messages.
        letters: as the file or the user says: interleaved samples may be S, and one axis of
            pages that are not named (I, Q) becomes Z.
        shape: of the array.
        told: the user said so, not the file.

    Raises:
        InputError: letters that are not understood, twice the same, or not one for each axis.

    Example:
        >>> plain_axes("a.tif", "IYXS", (5, 40, 60, 3))
        ('ZYXC', ('5 pages were taken for slices (Z)',))
    """
    found = letters.upper()
    if len(found) != len(shape):
        raise InputError(
            f"{where}: axes {letters} are {len(found)}, but its shape is {tuple(shape)}"
        )
    if "C" not in found:
        found = found.replace("S", "C")
    remarks: tuple[str, ...] = ()
    unknown = [axis for axis in found if axis not in AXES]
    if len(unknown) == 1 and unknown[0] in "IQ" and not told:
        free = next((axis for axis in "ZT" if axis not in found), "")
        if free:
            count = shape[found.index(unknown[0])]
            what = "slices (Z)" if free == "Z" else "times (T)"
            remarks = (f"{count} pages were taken for {what}",)
            found = found.replace(unknown[0], free)
    wrong = set(found) - set(AXES) or len(set(found)) < len(found)
    if wrong or not {"Y", "X"} <= set(found):
        raise InputError(
            f"{where}: axes {letters} for shape {tuple(shape)}, expected letters of {AXES}, "
            "each once, Y and X among them; say which with axes="
        )
    return found, remarks


def guessed_axes(where: object, shape: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """Axes of an array of which nothing is known, and remarks.

    Few entries (at most 4) along the last axis, else along the first, are channels; others are
    slices.

    Raises:
        InputError: there are fewer than two axes, or more than can be guessed.

    Example:
        >>> guessed_axes("a.npy", (40, 60, 3))[0], guessed_axes("a.npy", (30, 40, 60))[0]
        ('YXC', 'ZYX')
    """
    count = len(shape)
    if count == 2:
        return "YX", ()
    axes = {3: "ZYX", 4: "ZCYX"}.get(count)
    if count in (3, 4) and shape[-1] < _FEWEST_PIXELS:
        axes = "YXC" if count == 3 else "ZYXC"
    elif count == 3 and shape[0] < _FEWEST_PIXELS:
        axes = "CYX"
    if axes is None or (axes == "ZCYX" and shape[1] >= _FEWEST_PIXELS):
        raise InputError(
            f"{where}: shape {tuple(shape)}, say which axes they are with axes=, or in a file that "
            "names them, such as OME-TIFF"
        )
    return axes, (f"axes {axes} were assumed for shape {tuple(shape)}",)
