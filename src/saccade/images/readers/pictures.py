"""PNG, JPEG, WebP and whatever else Pillow decodes whole, as an `Image`."""

from pathlib import Path

from saccade.images.axes import plain_axes
from saccade.images.header import oriented
from saccade.images.image import Image
from saccade.images.intensities import rgb_of_values
from saccade.images.pictures import stored


def open_picture(path: Path, *, axes: str | None = None) -> Image:
    """Open an image file of one picture, upright.

    Transparency is composited over white, which gives 8 bits; other numbers stay as they are.

    Raises:
        InputError: as `saccade.images.read_image`.
    """
    found = stored(path)
    meaning, values = found.meaning, found.values
    remarks = found.remarks
    if meaning.alpha is not None or meaning.inverted:
        read = rgb_of_values(values, meaning)
        values, remarks = read.pixels, remarks + read.remarks
    array = oriented(values, found.orientation)
    if array.shape[2] == 1:
        array = array[..., 0]
    letters = "YX" if array.ndim == 2 else "YXC"
    if axes is not None:
        letters = plain_axes(path, axes, array.shape, told=True)[0]
    return Image(
        array,
        letters,
        white=None if meaning.white == 255 else meaning.white,
        nodata=meaning.nodata,
        colors=array.ndim == 3 and array.shape[2] == 3,
        remarks=remarks,
        source=path,
        kind="picture",
    )
