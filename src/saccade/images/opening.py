"""Any file to an `Image`: one function in front of the readers."""

import os
from pathlib import Path

from saccade.errors import InputError
from saccade.files import check_readable, reading
from saccade.images.image import Image
from saccade.images.readers.npy import open_npy
from saccade.images.readers.pictures import open_picture
from saccade.images.readers.tiff import open_tiff
from saccade.images.readers.volumes import open_volume, volume_kind
from saccade.images.readers.zarr import is_zarr, open_zarr
from saccade.images.tiff import is_tiff


def open_image(
    path: str | os.PathLike[str], *, series: int | None = None, axes: str | None = None
) -> Image:
    """Open an image file of any kind that is known, and say what it is.

    PNG, JPEG, WebP and the like are decoded at once. Of TIFF, OME-TIFF, hyperstacks of ImageJ,
    BigTIFF, GeoTIFF, OME-Zarr and .npy the header is read; numbers are as the array is indexed. Of
    NIfTI, MHA, NRRD and DICOM, of which a folder may be a series, all are read at the first index.

    Args:
        path: of the file, or of the folder of an OME-Zarr or of a series of DICOM files.
        series: which of several images of a file, from 0; None: the only one, or the first
            where the file says that they belong together.
        axes: a letter of T, Z, C, Y, X for each dimension, to overrule the file.

    Raises:
        InputError: the file is missing, damaged or no image, its pages are of different sizes,
            its axes are not understood, there is no such series, or a package is not installed.

    Example:
        >>> import numpy as np
        >>> np.save("stack.npy", np.zeros((30, 40, 60), np.uint16))
        >>> image = open_image("stack.npy", axes="ZYX")
        >>> image.axes, image.size, image.plane(z=29).shape
        ('ZYX', (40, 60), (40, 60, 1))
    """
    path = Path(path)
    if is_zarr(path):
        return open_zarr(path, series=series, axes=axes)
    if not path.is_dir():
        path = check_readable(path)
    with reading(path, "damaged or truncated image"):
        kind = volume_kind(path)
        if kind is not None:
            return open_volume(path, kind, series=series, axes=axes)
        if path.is_dir():
            raise InputError(f"{path}: is a folder, expected a file, OME-Zarr or a DICOM series")
        if is_tiff(path):
            return open_tiff(path, series=series, axes=axes)
        if path.suffix.lower() == ".npy":
            image = open_npy(path, axes=axes)
        else:
            image = open_picture(path, axes=axes)
    if series:
        raise InputError(f"{path}: series {series}, expected 0, the only one")
    return image


def is_image_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is one image: an OME-Zarr, or a series of DICOM files.

    Example:
        >>> is_image_folder(".")
        False
    """
    path = Path(path)
    return path.is_dir() and (is_zarr(path) or volume_kind(path) == "dicom")


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether a file is of the kinds that Pillow or tifffile reads: no OME-Zarr, volume or .npy.

    Example:
        >>> is_picture("photo.jpg"), is_picture("head.nii.gz"), is_picture("stack.npy")
        (True, False, False)
    """
    path = Path(path)
    return not (is_zarr(path) or volume_kind(path) or path.suffix.lower() == ".npy")
