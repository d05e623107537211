"""What options mean: a protocol, a device, classes; and checks that verbs share."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.errors import InputError
from saccade.files import check_readable
from saccade.stores import check_writable, is_remote

if TYPE_CHECKING:
    import typer

    from saccade.data.specs import LabelSpec
    from saccade.evaluation.inference import Protocol
    from saccade.refine.dense_crf import DenseCRFConfig


MIN_SIDE, MAX_SIDE = 32, 16384
"""Pixels of the least window, and of the shorter side that an image may be brought to."""


def refuse_given(context: "typer.Context", names: Iterable[str], why: str) -> None:
    """Refuse options that somebody gave and that something else decides.

    Raises:
        InputError: one of them was given.
    """
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT":
            raise InputError(f"--{name} {why}")


def protocol_of(scales: str, flip: bool, window: int, resize: int | None) -> "Protocol":
    """The protocol of the options; `resize` is None where the size of the training is wanted.

    Raises:
        InputError: scales that are no numbers above 0, or windows or sides that no network takes.
    """
    from saccade.evaluation.inference import Protocol

    try:
        factors = tuple(float(part) for part in scales.split(","))
    except ValueError as error:
        raise InputError(f"--scales is {scales!r}, expected numbers like 0.75,1,1.25") from error
    if window and window < MIN_SIDE:
        raise InputError(
            f"--window is {window}, expected 0 (the whole image at once) or at least {MIN_SIDE} "
            "pixels"
        )
    if resize and not MIN_SIDE <= resize <= MAX_SIDE:
        raise InputError(
            f"--resize is {resize}, expected 0 (no change) or {MIN_SIDE} to {MAX_SIDE} pixels"
        )
    return Protocol(factors, flip, window, resize=resize or 0)


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
    """The device behind "auto", else the one named.

    Raises:
        InputError: it is unknown or not there.
    """
    from saccade.devices import pick_device

    return str(pick_device(name))


def training_device_of(name: str) -> str:
    """The device to train on: "cpu" or "cuda".

    Raises:
        InputError: it is unknown or not there.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"--device is {name!r}, expected auto, cpu or cuda")
    return device_of(name).split(":")[0]


def channels_of(text: str) -> tuple[str, ...] | None:
    """The names or numbers of --channels; None for all.

    Raises:
        InputError: there is nothing between two commas.
    """
    parts = tuple(part.strip() for part in text.split(","))
    if text and "" in parts:
        raise InputError(f"--channels {text}: expected numbers or names with commas between them")
    return parts if text else None


def read_names(path: Path) -> tuple[str, ...]:
    """Read class names, one a line, the first is that of class 0.

    Raises:
        InputError: the file is missing or no text, is empty, or has an empty line or the same
            name twice.
    """
    try:
        lines = check_readable(path).read_text(encoding="utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text, expected one class name a line") from error
    names = tuple(line.strip() for line in lines)
    if not names:
        raise InputError(f"{path}: is empty, expected one class name a line")
    for number, name in enumerate(names, start=1):
        if not name:
            raise InputError(f"{path}: line {number} is empty, expected a class name")
        if names.index(name) != number - 1:
            raise InputError(f"{path}: '{name}' stands there twice, expected different names")
    return names


def classes_of(path: Path | None) -> "LabelSpec":
    """The classes of --classes.

    Raises:
        InputError: it is missing, or cannot be read.
    """
    from saccade.data.specs import LabelSpec, read_classes

    if path is None:
        raise InputError("--classes is missing: a file with the class names, one a line, from 0")
    found = read_classes(path)
    return LabelSpec(found.names, found.palette)


def require_packages(*packages: str) -> None:
    """Raise InputError where one of these packages of saccade[train] is missing."""
    from importlib.util import find_spec

    for package in packages:
        if find_spec(package) is None:
            raise InputError(f"{package} is not installed; pip install 'saccade[train]' brings it")


def make_folder(folder: Path) -> None:
    """Make the output folder.

    Raises:
        InputError: it is a file, or in a store that cannot be written to.
    """
    if is_remote(folder):
        check_writable(folder)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"{folder}: is a file, expected a folder to write to") from error
