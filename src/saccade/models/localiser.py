"""A multi-dilated classifier from one configuration, and the file that it is kept in."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from saccade.data.specs import LabelSpec
from saccade.errors import InputError
from saccade.files import atomic_write, check_readable, one_line, write_error
from saccade.models.checkpoint import read_header, spec_from_dict
from saccade.models.mdc import DILATIONS, MultiDilatedNet

_KEY = "saccade-localiser"
_VERSION = 1


@dataclass(frozen=True)
class LocaliserConfig:
    """Everything that decides the layers of a classifier; saved with its weights.

    Attributes:
        classes: K, background not among them.
        backbone: "vgg16", "mobilenet_v2", "resnet50" or "resnet101".
        dilations: of the blocks, the first for precise maps.
        output_stride: of the features, 16 or 8.
        width: channels of the blocks.
        mean: of the colours, in [0, 1].
        std: of the colours.
    """

    classes: int = 1
    backbone: str = "vgg16"
    dilations: tuple[int, ...] = DILATIONS
    output_stride: int = 16
    width: int = 512
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Localiser:
    """A classifier in eval mode, the classes of its data, and what is known of its training."""

    net: MultiDilatedNet
    config: LocaliserConfig
    spec: LabelSpec
    info: dict[str, Any]


def new_localiser(config: LocaliserConfig) -> MultiDilatedNet:
    """A classifier with random weights, from PyTorch's global generator.

    Raises:
        InputError: values that no classifier can be built from.
    """
    settings = asdict(config)
    return MultiDilatedNet(settings.pop("classes"), **settings)


def save_localiser(
    path: str | os.PathLike[str],
    config: LocaliserConfig,
    net: MultiDilatedNet,
    spec: LabelSpec,
    info: dict[str, Any],
) -> None:
    """Write a classifier of `new_localiser`; an older file is replaced as a whole or not at all.

    Args:
        path: to write to.
        config: of the classifier.
        net: the classifier.
        spec: the classes of its data.
        info: plain values for JSON.

    Raises:
        OSError: the disk is full or may not be written to.
    """
    header = {
        "version": _VERSION,
        "network": asdict(config),
        "classes": asdict(spec),
        "info": info,
    }
    tensors = {name: t.detach().cpu().contiguous() for name, t in net.state_dict().items()}
    with atomic_write(path) as temporary:
        try:
            save_file(tensors, temporary, {_KEY: json.dumps(header)})
        except SafetensorError as error:  # its way of saying that the disk is full
            raise write_error(error, path) from error


def load_localiser(path: str | os.PathLike[str], *, device: str = "cpu") -> Localiser:
    """Read what `save_localiser` wrote, in eval mode.

    Raises:
        InputError: the file is missing, damaged, or no classifier of Saccade.
    """
    path = Path(check_readable(path))
    header, weights = read_header(path, _KEY, "classifier")
    try:
        content: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in header["network"].items()
        }
        config = LocaliserConfig(**content)
        spec, info = spec_from_dict(header["classes"]), dict(header["info"])
        with torch.random.fork_rng(devices=[]):  # the weights drawn here are thrown away
            net = new_localiser(config)
        net.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: incomplete classifier ({one_line(error)})") from error
    return Localiser(net.eval().to(device), config, spec, info)
