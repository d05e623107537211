"""Masks in the container of their image, with its axes, pixel size and place in the world.

A PNG loses all of these. What is kept: OME-TIFF and ImageJ their axes and pixel size, TIFF its
resolution, GeoTIFF its tags of the place as they are and "no data"; NIfTI, MHA and NRRD spacing,
origin and direction, and DICOM the same in a NIfTI; OME-Zarr its axes and scale.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.files import atomic_write
from saccade.images import Image, is_image_folder
from saccade.images.extras import require_module

NODATA = 255
"""Label of pixels where a georeferenced image has no data; 65535 where 255 is a class."""

TIFF_KINDS = ("tiff", "ome-tiff", "imagej")
_SUFFIXES = {"nifti": ".nii.gz", "dicom": ".nii.gz", "mha": ".mha", "nrrd": ".nrrd"}
_NGFF_UNITS = {"um": "micrometer", "nm": "nanometer", "mm": "millimeter", "m": "meter"}
NODATA_TAG = 42113
_TILED = 4096  # pixels of a side from which there are tiles


def mask_name(image: Image) -> str | None:
    """The name of a mask in the image's own container; None where a PNG loses nothing of it.

    Example:
        >>> mask_name(Image(np.zeros((4, 6)), "YX", source=Path("a.jpg"), kind="picture"))
        >>> mask_name(Image(np.zeros((4, 6)), "YX", source=Path("ct"), kind="dicom"))
        'ct.nii.gz'
    """
    if image.source is None:
        return None
    name = image.source.name
    if image.kind in TIFF_KINDS:
        several = image.count("T") * image.count("Z") > 1
        known = image.georeference is not None or (image.pixel_size and image.unit)
        return f"{_stem(name)}.tif" if several or known else None
    if image.kind in ("ome-zarr", "zarr"):
        return f"{image.source.stem}.zarr"
    suffix = _SUFFIXES.get(image.kind)
    return None if suffix is None else f"{_stem(name, image.kind)}{suffix}"


def _stem(name: str, kind: str = "") -> str:
    if kind == "nifti" and name.lower().endswith(".nii.gz"):
        return name[: -len(".nii.gz")]
    known = Path(name).suffix.lower()
    return name[: -len(known)] if known else name


def write_like(
    path: str | os.PathLike[str],
    labels: Any,
    image: Image,
    *,
    axes: str = "YX",
    missing: NDArray[np.bool_] | None = None,
) -> None:
    """Write labels in the container of their image; the file appears whole or not at all.

    Args:
        path: file to write, or folder of an OME-Zarr.
        labels: integers from 0, below 2 ** 32 (2 ** 24 for ImageJ), of the sizes of the image along
            `axes`.
        image: of `open_image`.
        axes: of the labels, letters of T, Z, Y and X in this order.
        missing: where a georeferenced image has no data; such pixels get `NODATA`.

    Raises:
        InputError: labels of another size or out of range, a kind of image that has no container,
            or a package is not installed.

    Example:
        >>> import tifffile
        >>> tifffile.imwrite("a.ome.tif", np.zeros((4, 6)), metadata={"PhysicalSizeX": 0.5})
        >>> from saccade.images import open_image
        >>> write_like("mask.tif", np.ones((4, 6), int), open_image("a.ome.tif"))
        >>> open_image("mask.tif").pixel_size
        {'X': 0.5}
    """
    array = _checked(path, labels, image, axes)
    if image.kind in TIFF_KINDS:
        _write_tiff(path, array, image, axes, missing)
    elif image.kind in ("ome-zarr", "zarr"):
        _write_zarr(Path(path), array, image, axes)
    elif image.kind in _SUFFIXES:
        _write_volume(path, array, image)
    else:
        raise InputError(f"{path}: an image of kind {image.kind} has no container for a mask")


def _checked(path: object, labels: Any, image: Image, axes: str) -> NDArray[Any]:
    array = np.asarray(labels)
    wanted = tuple(image.count(axis) for axis in axes)
    if axes != "".join(a for a in "TZYX" if a in axes) or not axes.endswith("YX"):
        raise InputError(f"{path}: labels with axes {axes}, expected YX, ZYX, TYX or TZYX")
    if array.shape != wanted:
        raise InputError(f"{path}: labels of shape {array.shape}, the image has {wanted} ({axes})")
    most = 2**24 if image.kind == "imagej" else 2**32 - 1
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > most:
        raise InputError(f"{path}: labels must be whole numbers from 0 to {most}")
    highest = array.max()
    if highest > 65535 and image.kind == "imagej":  # which knows no 32-bit integers
        return array.astype(np.float32)
    return array.astype(
        np.uint8 if highest <= 255 else np.uint16 if highest <= 65535 else np.uint32
    )


def _write_tiff(
    path: str | os.PathLike[str],
    array: NDArray[Any],
    image: Image,
    axes: str,
    missing: NDArray[np.bool_] | None,
) -> None:
    import tifffile

    tags = place_tags(image)
    if tags and missing is not None and missing.any():
        code = NODATA if not (array == NODATA).any() and array.dtype == np.uint8 else 65535
        array = (
            array
            if array.dtype == np.uint32
            else array.astype(np.uint8 if code == NODATA else np.uint16)
        )
        array[..., missing] = code
        tags.append((NODATA_TAG, 2, 0, str(code), True))
    with atomic_write(path) as temporary:
        options = tiff_options(image, axes, tags, tiled=max(array.shape[-2:]) > _TILED)
        tifffile.imwrite(temporary, array, **options)


def place_tags(image: Image) -> list[tuple[Any, ...]]:
    """The tags of a GeoTIFF's place, as tifffile writes them.

    >>> place_tags(Image(np.zeros((4, 6)), "YX"))
    []
    """
    return [(*tag, True) for tag in image.metadata.get("geotiff", ())]


def tiff_options(
    image: Image, axes: str, tags: list[tuple[Any, ...]], *, tiled: bool
) -> dict[str, Any]:
    """How tifffile writes a mask with the axes, the pixel size and the place of its image.

    Args:
        image: of `open_image`, a TIFF of any kind.
        axes: of the mask.
        tags: of its place.
        tiled: whether there are tiles of 512 x 512 instead of strips.

    >>> tiff_options(Image(np.zeros((4, 6)), "YX", kind="tiff"), "YX", [], tiled=True)["tile"]
    (512, 512)
    """
    size = dict(image.pixel_size)
    options: dict[str, Any] = {"photometric": "minisblack", "compression": "zlib"}
    if image.kind == "ome-tiff":
        sizes = {f"PhysicalSize{axis}": size[axis] for axis in size if axis in axes}
        units = {f"{key}Unit": "\u00b5m" if image.unit == "um" else image.unit for key in sizes}
        options |= {"ome": True, "metadata": {"axes": axes, **sizes, **(units if sizes else {})}}
    elif image.kind == "imagej":
        said: dict[str, Any] = {"axes": axes}
        if image.unit:
            said |= {"unit": image.unit} | ({"spacing": size["Z"]} if "Z" in size else {})
        options |= {"imagej": True, "metadata": said}
        if {"Y", "X"} <= size.keys():
            options["resolution"] = (1 / size["X"], 1 / size["Y"])
    else:
        options["metadata"] = {"axes": axes} if len(axes) > 2 else None
        if image.unit == "mm" and {"Y", "X"} <= size.keys() and not tags:
            options |= {"resolution": (10 / size["X"], 10 / size["Y"]), "resolutionunit": 3}
    if tiled:
        options["tile"] = (512, 512)
    return options | {"extratags": tags}


def _write_volume(path: str | os.PathLike[str], array: NDArray[Any], image: Image) -> None:
    sitk = require_module(path, image.kind, "SimpleITK")
    written = sitk.GetImageFromArray(array)
    dims = array.ndim
    for name, short in (("spacing", 1.0), ("origin", 0.0)):
        values = (*image.metadata[name], *[short] * dims)[:dims]
        getattr(written, f"Set{name.title()}")([float(value) for value in values])
    direction = image.metadata["direction"]
    if len(direction) == dims * dims:
        written.SetDirection(direction)
    with atomic_write(path) as temporary:
        # A temporary name has the last suffix only, and .gz alone is none of a volume.
        whole = temporary.with_name(temporary.name.removesuffix(".gz") + "".join(_ends(path)))
        try:
            sitk.WriteImage(written, str(whole), True)
            whole.replace(temporary)
        except RuntimeError as error:
            raise InputError(f"{path}: SimpleITK cannot write it ({error})") from error
        finally:
            if whole != temporary:
                whole.unlink(missing_ok=True)


def _ends(path: str | os.PathLike[str]) -> Sequence[str]:
    return (".nii", ".gz") if str(path).lower().endswith(".nii.gz") else ()


def _write_zarr(path: Path, array: NDArray[Any], image: Image, axes: str) -> None:
    zarr = require_module(path, "OME-Zarr", "zarr")
    if path.exists() and not is_image_folder(path):
        raise InputError(f"{path}: is there and no OME-Zarr, so it is not replaced")
    kinds = {"T": "time"}
    named: list[dict[str, str]] = [
        {"name": axis.lower(), "type": kinds.get(axis, "space")} for axis in axes
    ]
    if image.unit:
        for axis in named:
            if axis["type"] == "space":
                axis["unit"] = _NGFF_UNITS.get(image.unit, image.unit)
    scale = {"type": "scale", "scale": [float(image.pixel_size.get(axis, 1.0)) for axis in axes]}
    said = {
        "version": "0.4",
        "name": path.stem,
        "axes": named,
        "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
    }
    temporary = path.with_name(f".{path.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        group = zarr.open_group(str(temporary), mode="w", zarr_format=2)
        chunks = (*[1] * (array.ndim - 2), *(min(n, 512) for n in array.shape[-2:]))
        stored = group.create_array(
            "0",
            shape=array.shape,
            chunks=chunks,
            dtype=array.dtype,
            chunk_key_encoding={"name": "v2", "separator": "/"},
        )
        stored[...] = array
        group.attrs["multiscales"] = [said]
        if path.exists():
            shutil.rmtree(path)
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
