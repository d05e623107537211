"""What the verbs for whole data sets share: their options, and reading them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.evaluation.inference import Protocol
    from saccade.refine.dense_crf import DenseCRFConfig

Layout = Annotated[
    str,
    typer.Option(
        "--layout",
        metavar="NAME",
        help="Layout of the data: folder, camvid, voc, voc-aug, sbd, context59, context60, "
        "ade20k or cityscapes.",
    ),
]
Split = Annotated[str, typer.Option("--split", help="Part of the data: train, val, ...")]
Scales = Annotated[
    str,
    typer.Option("--scales", metavar="N,N,...", help="Average over these factors on the size."),
]
Flip = Annotated[bool, typer.Option("--flip", help="Average with the mirror image.")]
Window = Annotated[
    int, typer.Option("--window", min=0, help="Side of sliding windows; 0 asks for the whole.")
]
Resize = Annotated[
    int, typer.Option("--resize", min=0, help="Shorter side before everything else; 0 leaves it.")
]
Crf = Annotated[
    str,
    typer.Option(
        "--crf",
        metavar="NAME",
        help="Refine by a dense CRF: default, deeplab-largefov, deeplab-v2-vgg16 or "
        "deeplab-v2-resnet101.",
    ),
]
Device = Annotated[str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where to run.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")]


def protocol_of(scales: str, flip: bool, window: int, resize: int) -> "Protocol":
    """The protocol of the options.

    Raises:
        InputError: scales that are no numbers above 0.
    """
    from saccade.evaluation.inference import Protocol

    try:
        factors = tuple(float(part) for part in scales.split(","))
    except ValueError as error:
        raise InputError(f"--scales is {scales!r}, expected numbers like 0.75,1,1.25") from error
    return Protocol(factors, flip, window, resize=resize)


def crf_of(name: str) -> "DenseCRFConfig | None":
    """The parameters of a dense CRF by name; None for "".

    Raises:
        InputError: an unknown name.
    """
    if not name:
        return None
    from saccade.refine.dense_crf import DENSE_CRF_CONFIGS

    if name not in DENSE_CRF_CONFIGS:
        raise InputError(f"--crf is {name!r}, expected {', '.join(DENSE_CRF_CONFIGS)}")
    return DENSE_CRF_CONFIGS[name]


def device_of(name: str) -> str:
    """Resolve "auto".

    Raises:
        InputError: an unknown name, or CUDA where there is none.
    """
    import torch

    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"--device is {name!r}, expected auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device is 'cuda', but PyTorch sees no CUDA device here")
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return name


def require_packages(*packages: str) -> None:
    """Raise InputError where one of these packages of saccade[train] is missing."""
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise InputError(f"{package} is not installed; pip install 'saccade[train]' brings it")


def make_folder(folder: Path) -> None:
    """Make the output folder.

    Raises:
        InputError: it is a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"{folder}: is a file, expected a folder to write to") from error
