"""One file with everything that is needed to use a trained network.

A safetensors file: the weights, and in its header, as JSON, the network's configuration, the
classes and what is known of the training. Nothing in it is ever executed.
"""

import os
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import Tensor

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import check_readable, one_line, reading
from saccade.images import Reading
from saccade.images.intensities import checked_window
from saccade.images.network_input import NetworkReading
from saccade.models.headers import (
    CHECKPOINT,
    network_with,
    read_header,
    spec_from_dict,
    write_with_header,
)
from saccade.models.segmentation import SegmentationConfig, SegmentationNet, config_from_dict

_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """A network in eval mode, the classes it knows, and what is known of its training."""

    net: SegmentationNet
    spec: LabelSpec
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def reading(self) -> Reading:
        """How the images that it was trained on were read; as pictures where nothing is known."""
        return _reading_of(self.info, self.net.config.in_channels)

    @property
    def resize(self) -> int:
        """What the shorter side of its images was brought to before all else; 0: nothing."""
        return _resize_of(self.info)


def save_checkpoint(
    path: str | os.PathLike[str],
    config: SegmentationConfig,
    weights: dict[str, Tensor],
    spec: LabelSpec,
    info: dict[str, Any],
) -> None:
    """Write a checkpoint; an older file of the name is replaced as a whole or not at all.

    Args:
        path: to write to.
        config: of the network.
        weights: its state dict.
        spec: its classes.
        info: plain values for JSON.

    Raises:
        InputError: the folder of `path` is missing.
        OSError: the disk is full or may not be written to.
    """
    header = {
        "version": _VERSION,
        "network": config.to_dict(),
        "classes": asdict(spec),
        "info": info,
    }
    write_with_header(path, CHECKPOINT, header, weights)


def load_checkpoint(path: str | os.PathLike[str], *, device: str = "cpu") -> Checkpoint:
    """Read a checkpoint and build its network, in eval mode.

    Args:
        path: of `save_checkpoint`.
        device: where the network goes.

    Raises:
        InputError: the file is missing, damaged, no checkpoint of Saccade, of a newer version,
            or its weights do not fit its configuration.
    """
    path = check_readable(path)
    header, weights = read_header(path, CHECKPOINT, "checkpoint")
    if header.get("version") != _VERSION:
        raise InputError(
            f"{path}: checkpoint version {header.get('version')!r}, this program reads {_VERSION}"
        )
    try:
        config = config_from_dict(header["network"])
        spec = spec_from_dict(header["classes"])
        info = dict(header["info"])
        _reading_of(info, config.in_channels), _resize_of(info)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise InputError(f"{path}: incomplete checkpoint ({one_line(error)})") from error
    with reading(path, "weights do not fit its network"):
        if len(config.rates) > len(weights):
            raise ValueError(f"{len(config.rates)} rates")
        net = network_with(lambda: SegmentationNet(config), weights)
    return Checkpoint(net.eval().to(device), spec, info)


def _resize_of(info: dict[str, Any]) -> int:
    return int(info.get("training", {}).get("augmentation", {}).get("resize", 0))


def reading_document(how: NetworkReading) -> dict[str, Any]:
    """Plain values of how images are read, for `Checkpoint.info`; mean and std are the network's.

    Example:
        >>> reading_document(NetworkReading(count=2, colors=False, windows=((0, 9), (1, 8))))
        {'channels': [], 'window': [], 'count': 2, 'colors': False, 'windows': [[0, 9], [1, 8]]}
    """
    return {
        "channels": list(how.channels or ()),
        "window": list(how.window or ()),
        "count": how.count,
        "colors": how.colors,
        "windows": [list(pair) for pair in how.windows],
    }


def _reading_of(info: dict[str, Any], count: int) -> Reading:
    """How images are read for a network of so many channels.

    Raises:
        ValueError: what is known of it does not fit the network.
    """
    known = info.get("reading")
    if known is None:
        data = info.get("training", {}).get("data", {})
        channels, window = data.get("channels") or None, data.get("intensities") or None
        chosen, told = channels and tuple(map(str, channels)), window and checked_window(window)
        if count == 3:
            return Reading(chosen, told)
        return NetworkReading(chosen, told, count=count, colors=False)
    channels, windows = tuple(map(str, known["channels"])), known["windows"]
    if known["count"] != count or len(windows) not in (0, count):
        raise ValueError(f"its images have other channels than its network, which takes {count}")
    return NetworkReading(
        channels or None,
        checked_window(known["window"]) if known["window"] else None,
        count=count,
        colors=bool(known["colors"]),
        windows=tuple(checked_window(pair) for pair in windows),
    )
