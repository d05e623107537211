"""Where nothing stands out: the background cue for pseudo masks (MDC paper, section 4.1).

Given saliency maps are best. The two fallbacks are OpenCV's, which know nothing of objects.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from saccade.errors import InputError
from saccade.folders import by_stem, list_files, name_key
from saccade.images import image_size, read_grey
from saccade.images.arrays import read_npy
from saccade.suffixes import IMAGE_SUFFIXES

Method = Literal["fine-grained", "spectral"]

SUFFIXES = IMAGE_SUFFIXES | {".npy"}


def read_saliency(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Read a saliency map and scale it to [0, 1] by its own minimum and maximum.

    Args:
        path: a grey image of integers or floats, or a `.npy` array of numbers.
        shape: (H, W) of its image.

    Returns:
        (H, W) float32; zero everywhere where the map is constant.

    Raises:
        InputError: the file is missing, no map, or of another size.
    """
    values: NDArray[Any] = read_npy(path) if path.suffix == ".npy" else read_grey(path)
    if values.ndim != 2 or values.dtype.kind not in "uif" or not np.isfinite(values).all():
        raise InputError(f"{path}: {values.shape} {values.dtype}, expected (H, W) finite numbers")
    if values.shape != shape:
        raise InputError(
            f"{path}: {values.shape[1]} x {values.shape[0]} pixels (width x height), its image has "
            f"{shape[1]} x {shape[0]}"
        )
    return scaled(values)


def saliency_size(path: Path) -> tuple[int, int]:
    """(H, W) of a saliency map, from its header.

    Raises:
        InputError: the file is missing, or no map.
    """
    if path.suffix != ".npy":
        return image_size(path, upright=False)
    shape = read_npy(path).shape
    if len(shape) != 2:
        raise InputError(f"{path}: {shape}, expected (H, W) finite numbers")
    return shape[0], shape[1]


def find_saliency(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """The saliency map of each image, by stem.

    Raises:
        InputError: the folder or a map is missing.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of saliency maps")
    files = by_stem(folder, list_files(folder, SUFFIXES).files)
    lost = [name for name in names if name_key(name) not in files]
    if lost:
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise InputError(f"{folder}: no saliency map {lost[0]}.png{more}")
    return {name: files[name_key(name)] for name in names}


def check_saliency(images: Sequence[Path], folder: Path) -> dict[str, Path]:
    """The saliency map of each image, by stem; the sizes of all are compared, none is decoded.

    Raises:
        InputError: the folder or a map is missing, or a map has another size than its image.
    """
    found = find_saliency([image.stem for image in images], folder)
    for image in images:
        path, (height, width) = found[image.stem], image_size(image)
        if (size := saliency_size(path)) != (height, width):
            raise InputError(
                f"{path}: {size[1]} x {size[0]} pixels (width x height), its image has "
                f"{width} x {height}"
            )
    return found


def saliency_of(image: NDArray[np.uint8], method: Method) -> NDArray[np.float32]:
    """A saliency map by OpenCV (contrib), scaled to [0, 1].

    Args:
        image: (H, W, 3) uint8 RGB.
        method: "fine-grained" (Montabone and Soto 2010) or "spectral" (spectral residual, Hou and
            Zhang 2007; computed on 64x64 pixels, so it is coarse).

    Raises:
        InputError: an unknown method, or OpenCV's contrib modules are not installed.
    """
    if method not in get_args(Method):
        raise InputError(f"saliency {method!r}, expected {' or '.join(get_args(Method))}")
    try:
        from cv2 import saliency
    except ImportError as error:
        raise InputError(
            "saliency needs opencv-contrib-python-headless; pip install 'saccade[opencv]' "
            "brings it, or give a folder with saliency maps"
        ) from error
    make = {
        "fine-grained": "StaticSaliencyFineGrained_create",
        "spectral": "StaticSaliencySpectralResidual_create",
    }[method]
    bgr = np.ascontiguousarray(image[..., ::-1])
    done, computed = getattr(saliency, make)().computeSaliency(bgr)
    if not done:
        raise InputError(f"OpenCV found no saliency in an image of {image.shape[:2]} pixels")
    return scaled(computed)


def scaled(values: NDArray[Any]) -> NDArray[np.float32]:
    """Values to [0, 1] by their minimum and maximum; zero where all are the same."""
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return np.zeros(values.shape, np.float32)
    result: NDArray[np.float32] = ((values - low) / (high - low)).astype(np.float32)
    return result


def background_cue(
    saliency: NDArray[np.float32], threshold: float = 0.06, *, percentile: bool = False
) -> NDArray[np.bool_]:
    """Where the background is, as far as saliency knows.

    Args:
        saliency: (H, W) in [0, 1].
        threshold: below it is background; 0.06 in the paper.
        percentile: read the threshold as a share of the image's pixels instead, those of the
            lowest saliency. Maps of OpenCV hardly know the value 0.06.

    Raises:
        InputError: a threshold outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise InputError(f"saliency threshold is {threshold}, must be in [0, 1]")
    if percentile:
        return np.asarray(saliency < np.quantile(saliency, threshold))
    return np.asarray(saliency < threshold)
