"""What a run starts from: weights of a backbone, or a checkpoint, whose classes may be others.

What these and the data decide of the network is here too.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from saccade.data.sets import LabeledSet
from saccade.devices import pick_device
from saccade.errors import InputError
from saccade.images.network_input import NetworkReading, channel_count
from saccade.models.checkpoint import load_checkpoint
from saccade.models.pretrained import expects, load_backbone
from saccade.models.segmentation import SegmentationConfig, SegmentationNet
from saccade.models.segmentation_config import for_channels
from saccade.models.timm_backbone import PREFIX, colors_of
from saccade.training.config import TrainConfig
from saccade.training.state import first_difference

_NAMED = 6
"""So many classes are named in a line; further ones are counted."""


def completed(config: TrainConfig, training: LabeledSet) -> TrainConfig:
    """The configuration with what data and weights decide.

    That is the number of classes and of channels, and mean and deviation of the channels: those
    measured on the training images come before those that weights of a backbone, or a checkpoint
    to start from, were trained with.

    Raises:
        InputError: mean or std are given for another number of channels.
    """
    count = channel_count(training.reading)
    network = replace(config.network, classes=len(training.spec.names)).with_channels(count)
    usual = SegmentationConfig(2, in_channels=count)
    given = (network.mean, network.std) != (usual.mean, usual.std)
    decided = expects(config.weights)
    if config.weights != "none" and network.backbone.startswith(PREFIX):
        decided = dict(colors_of(network.backbone))
    if config.start and not given:
        decided = {**decided, **expects(config.start)}
    for name in {"mean", "std"} & set(decided):
        decided[name] = for_channels(decided[name], count)
    how = training.reading
    if isinstance(how, NetworkReading) and how.mean and not given:
        decided = {**decided, "mean": how.mean, "std": how.std}
    return replace(config, network=replace(network, **decided))


def check_start(config: TrainConfig, names: tuple[str, ...]) -> tuple[str, ...]:
    """Load what a run starts from into a network that is thrown away.

    For those who have hours of work to do before the run.

    Args:
        config: of the run.
        names: of the classes.

    Returns:
        A line on the classes of the checkpoint where they are not those of the data; else nothing.

    Raises:
        InputError: the device is missing, or weights are missing, damaged or of another network.
    """
    pick_device(config.run.device)
    with torch.random.fork_rng(devices=[]):
        net = SegmentationNet(replace(config.network, classes=len(names)))
    if config.weights != "none":
        count = config.network.in_channels
        noise = torch.rand(2, count, 64, 64, generator=torch.Generator().manual_seed(0))
        load_backbone(net, config.network.backbone, config.weights, images=lambda: noise)
    if not config.start:
        return ()
    return start_from(net, config.start, names, measured=config.data.measured)


@torch.no_grad()
def start_from(
    net: SegmentationNet, path: str, names: tuple[str, ...], *, measured: bool = False
) -> tuple[str, ...]:
    """Load the weights of a checkpoint into a network, in place.

    Classes go by their names: each that the checkpoint knows keeps its weights, wherever it stands
    in the data; those of new classes stay as they are, random in a new network.

    Args:
        net: of the data's classes; else as the network of the checkpoint.
        path: of the checkpoint.
        names: of the data's classes.
        measured: mean and deviation of the channels may be others than the checkpoint's.

    Returns:
        A line on what was kept, is new and was left out; nothing where the classes are the same.

    Raises:
        InputError: the file is missing, damaged, or of another network.
    """
    checkpoint = load_checkpoint(path)
    theirs = checkpoint.spec.names
    own, other = net.config, checkpoint.net.config
    if measured and own.in_channels == other.in_channels:
        other = replace(other, mean=own.mean, std=own.std)
    differing = first_difference(_shape_of(other), _shape_of(own))
    if differing:
        raise InputError(f"{path}: its network has another {differing}")
    weights = checkpoint.net.state_dict()
    if theirs != names:
        fresh = net.state_dict()
        for name in net.of_classes:
            weights[name] = by_class(fresh[name], weights[name], names, theirs)
    net.load_state_dict(weights)
    return () if theirs == names else (f"{path}: {_in_words(names, theirs)}",)


def by_class(own: Tensor, other: Tensor, names: tuple[str, ...], theirs: tuple[str, ...]) -> Tensor:
    """The rows of `own`, those of classes that `other` knows too replaced by its rows.

    Args:
        own: (K, ...), a row a class.
        other: (L, ...).
        names: of the K classes.
        theirs: of the L classes.

    Example:
        >>> by_class(torch.zeros(3), torch.tensor([1.0, 2.0]), ("sky", "tram", "road"),
        ...          ("road", "sky"))
        tensor([2., 0., 1.])
    """
    rows = {name: row for row, name in enumerate(theirs)}
    merged = own.clone()
    for index, name in enumerate(names):
        if name in rows:
            merged[index] = other[rows[name]]
    return merged


def _in_words(names: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    known = [name for name in names if name in theirs]
    new = [name for name in names if name not in theirs]
    gone = [name for name in theirs if name not in names]
    if not known:
        return (
            f"none of its classes ({_listed(gone)}) has the name of one of the data "
            f"({_listed(new)}); the layers before the classifier are kept"
        )
    if not new and not gone:
        return "the same classes in another order; all weights are kept"
    parts = [f"weights are kept of {_listed(known)}"]
    parts += [f"new is {_listed(new)}"] * bool(new) + [f"left out is {_listed(gone)}"] * bool(gone)
    return "; ".join(parts)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _shape_of(network: SegmentationConfig) -> dict[str, Any]:
    """What must agree for weights to fit and mean the same: all but classes, seed and dropout."""
    return replace(network, classes=2, seed=0, dropout=0.0).to_dict()
