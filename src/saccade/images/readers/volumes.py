"""NIfTI, MHA, NRRD and DICOM by SimpleITK; the pixels are read when they are first needed."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from saccade.errors import InputError
from saccade.files import reading
from saccade.images.axes import plain_axes
from saccade.images.extras import require_module
from saccade.images.image import Image
from saccade.images.lazy import OnDemand
from saccade.images.readers.nifti import refuse_truncated
from saccade.suffixes import IMAGE_SUFFIXES

SUFFIXES = {
    ".nii": "nifti",
    ".nii.gz": "nifti",
    ".mha": "mha",
    ".mhd": "mha",
    ".nrrd": "nrrd",
    ".dcm": "dicom",
}
"""Suffixes of volumes and their kinds."""

_CENTER, _WIDTH, _PHOTOMETRIC, _RAWMARK = "0028|1050", "0028|1051", "0028|0004", b"DICM"
_MOST_TRIED = 8


def volume_kind(path: Path) -> str | None:
    """The kind of a file by its suffix, or of a file or folder that is DICOM; None of others.

    Example:
        >>> volume_kind(Path("head.nii.gz")), volume_kind(Path("photo.png"))
        ('nifti', None)
    """
    name = path.name.lower()
    for suffix, kind in SUFFIXES.items():
        if name.endswith(suffix):
            return kind
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.is_file())[:_MOST_TRIED]
        return "dicom" if any(is_dicom(file) for file in files) else None
    if path.suffix.lower() in IMAGE_SUFFIXES or not path.is_file():
        return None  # opening a pipe would wait for ever
    return "dicom" if is_dicom(path) else None


def is_dicom(path: Path) -> bool:
    """Whether a file has the mark of DICOM."""
    try:
        with open(path, "rb") as file:
            return file.read(132)[128:] == _RAWMARK
    except OSError:
        return False


def open_volume(
    path: Path, kind: str, *, series: int | None = None, axes: str | None = None
) -> Image:
    """Open a volume: a file, or a folder with a series of DICOM files.

    Args:
        path: of the file or folder.
        kind: of `volume_kind`.
        series: index of one of several series of DICOM in a folder.
        axes: a letter for each dimension.

    Raises:
        InputError: SimpleITK is not installed, the file is damaged, the folder has several series
            and none was chosen, or slices of different sizes.
    """
    what = {"dicom": "DICOM", "nifti": "NIfTI"}.get(kind, kind.upper())
    sitk = require_module(path, what, "SimpleITK")
    sitk.ProcessObject.GlobalWarningDisplayOff()  # our errors say it
    with reading(path, f"{what} that cannot be read"):
        if path.is_dir():
            return _open_series(sitk, path, series, axes)
        if series:
            raise InputError(f"{path}: series {series}, expected 0, the only one")
        return _image(sitk, path, _header(sitk, path, what), kind, [path], axes)


def _header(sitk: Any, path: Path, what: str) -> Any:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path}: {what} that cannot be read ({_why(error)})") from error
    return reader


def _why(error: RuntimeError) -> str:
    """What SimpleITK says, without where in its sources it says so."""
    reason = re.sub(r"\s+", " ", str(error)).rpartition("ITK ERROR: ")[2]
    reason = re.sub(r"^\w+\(0x\w+\): ", "", reason)
    return re.sub(r"^.*?\.(cxx|h|hxx):\d+: ", "", reason).strip()[:160]


def _open_series(sitk: Any, path: Path, series: int | None, axes: str | None) -> Image:
    ids = sorted(sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(path)))
    if not ids:
        raise InputError(f"{path}: no series of DICOM files that can be read")
    if series is None and len(ids) > 1:
        raise InputError(
            f"{path}: {len(ids)} series of DICOM, say which, series 0 to {len(ids) - 1}"
        )
    if not 0 <= (series or 0) < len(ids):
        raise InputError(f"{path}: series {series}, expected 0 to {len(ids) - 1}")
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(path), ids[series or 0])
    files = [Path(name) for name in names]
    headers = [_header(sitk, file, "DICOM") for file in files]
    sizes = [header.GetSize()[:2] for header in headers]
    for file, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            raise InputError(
                f"{path}: slices of different sizes, {files[0].name} {sizes[0][0]} x {sizes[0][1]}"
                f" and {file.name} {size[0]} x {size[1]}"
            )
    dicom = sum(is_dicom(file) for file in path.iterdir() if file.is_file())
    left = dicom - len(files)
    remarks = (f"{left} DICOM files of the folder are not in this series",) if left > 0 else ()
    return _image(sitk, path, headers[0], "dicom", files, axes, remarks)


def _image(
    sitk: Any,
    path: Path,
    header: Any,
    kind: str,
    files: list[Path],
    axes: str | None,
    remarks: tuple[str, ...] = (),
) -> Image:
    size, parts = tuple(header.GetSize()), int(header.GetNumberOfComponents())
    flat = kind == "dicom" and len(files) == 1 and size[2:] == (1,)
    dims = 2 if flat else len(size)
    shape = tuple(int(n) for n in size[:dims][::-1])
    if len(files) > 1:
        shape, dims = (len(files), *shape[-2:]), 3
    if parts > 1:
        shape = (*shape, parts)

    def load() -> Any:
        if kind == "nifti":
            refuse_truncated(path)
        with reading(path, "pixels that cannot be read"):
            names = [str(file) for file in files]
            try:
                read = sitk.ReadImage(names if len(names) > 1 else names[0])
            except RuntimeError as error:
                raise InputError(f"{path}: pixels that cannot be read ({_why(error)})") from error
            found = sitk.GetArrayFromImage(read)
            found = found[0] if flat else found
            if found.shape != shape:
                raise ValueError(f"shape {found.shape}, its header says {shape}")
            return found

    letters = "TZYX"[-dims:] + ("C" if parts > 1 else "")
    if axes is not None:
        letters = plain_axes(path, axes, shape, told=True)[0]
    sample = sitk.GetArrayFromImage(sitk.Image([1] * 2, _scalar(sitk, header.GetPixelID())))
    said = {key: header.GetMetaData(key) for key in header.GetMetaDataKeys()}
    spacing, space = list(header.GetSpacing()), min(dims, 3)
    geometry = {
        "spacing": tuple(spacing),
        "origin": tuple(header.GetOrigin()),
        "direction": tuple(header.GetDirection()),
    }
    if len(files) > 1:
        volume = _volume_geometry(sitk, files)
        geometry, spacing = volume, list(volume["spacing"])
    if said.get(_PHOTOMETRIC, "").strip() == "MONOCHROME1":
        remarks = (*remarks, "small values are bright (MONOCHROME1); they are as they are")
    window, odd = _window(said)
    return Image(
        OnDemand(shape, sample.dtype, load),
        letters,
        pixel_size={a: float(s) for a, s in zip("XYZ"[:space], spacing, strict=False)},
        unit="mm",
        window=window,
        colors=parts == 3 and sample.dtype == np.uint8,
        remarks=(*remarks, *odd),
        source=path,
        kind=kind,
        metadata=geometry,
    )


def _scalar(sitk: Any, pixel: int) -> int:
    """The type of one number of pixels that have several."""
    vectors = {
        getattr(sitk, f"sitkVector{name}"): getattr(sitk, f"sitk{name}")
        for name in (
            "UInt8", "Int8", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64",
            "Float32", "Float64",
        )
    }  # fmt: skip
    return int(vectors.get(pixel, pixel))


def _volume_geometry(sitk: Any, files: list[Path]) -> dict[str, Any]:
    """Where a series lies, from its first, second and last slice."""
    headers = [_header(sitk, file, "DICOM") for file in (files[0], files[1], files[-1])]
    origins = [np.array((*header.GetOrigin(), 0.0, 0.0)[:3]) for header in headers]
    step = float(np.linalg.norm(origins[2] - origins[0])) / (len(files) - 1)
    spacing = (*headers[0].GetSpacing()[:2], step or 1.0)
    return {
        "spacing": spacing,
        "origin": tuple(float(value) for value in origins[0]),
        "direction": tuple(headers[0].GetDirection()),
    }


def _window(said: dict[str, str]) -> tuple[tuple[tuple[float, float], ...], tuple[str, ...]]:
    """The first window of DICOM, or the display range of NIfTI; a remark where it is no number."""
    try:
        if _CENTER in said and _WIDTH in said:
            center, width = (float(said[key].split("\\")[0]) for key in (_CENTER, _WIDTH))
            low, high = center - width / 2, center + width / 2
        else:
            low, high = float(said.get("cal_min", 0)), float(said.get("cal_max", 0))
    except ValueError:
        return (), ("its window is no number and is not used",)
    return (((low, high),) if low < high else ()), ()
