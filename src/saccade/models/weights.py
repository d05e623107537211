"""Weights of the feature extractor: bundled, from a torchvision checkpoint, or random."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from saccade.errors import InputError
from saccade.files import check_readable
from saccade.models.features import MobileNetHead
from saccade.models.fusion_net import CUES, FusionNet, ImageEncoder
from saccade.models.object_net import ObjectNet
from saccade.models.timm_maps import TimmMaps
from saccade.models.unwrap import as_torchvision, load_pickled, unwrap

_BUNDLED = "bundled.safetensors"

# torchvision's mobilenet_v2: convolution, its normalisation, our name.
_TORCHVISION = (
    ("features.0.0", "features.0.1", "stem"),
    ("features.1.conv.0.0", "features.1.conv.0.1", "depthwise1"),
    ("features.1.conv.1", "features.1.conv.2", "project1"),
    ("features.2.conv.0.0", "features.2.conv.0.1", "expand2"),
    ("features.2.conv.1.0", "features.2.conv.1.1", "depthwise2"),
    ("features.2.conv.2", "features.2.conv.3", "project2"),
)

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class EnsembleMember:
    """A fusion network, and the encoder that tells it what it may know of the image."""

    encoder: ImageEncoder
    fusion: FusionNet


@dataclass(frozen=True)
class Bundle:
    """What ships with the package, trained by ``scripts/train_bundled``.

    Attributes:
        head: the frozen feature extractor.
        fuse: the 1x1 convolution of the 40 features and Lab that the light network begins with.
        start: where the fit of the light network starts.
        rates: learning rate of every step and tensor of that fit.
        ensemble: fusion networks. The first is enough: it has the mean of the weights of those
            after it, which went on from the same training in different ways. The mean of the
            scores of all errs a little less, and costs more.
        objects: the object network; None in files of before there was one.
        kinds: a fusion network for images of a kind, of which others have the strokes; None where
            that of one image is asked there too.
        more: maps of another backbone, which the regression of images of a kind sees beside the
            object network's; None without.
    """

    head: MobileNetHead
    fuse: nn.Conv2d
    start: dict[str, Tensor]
    rates: dict[str, Tensor]
    ensemble: tuple[EnsembleMember, ...]
    objects: ObjectNet | None = None
    kinds: EnsembleMember | None = None
    more: TimmMaps | None = None

    def of_kinds(self, members: int) -> tuple[EnsembleMember, ...]:
        """Fusion networks for images of a kind: the one for them, or the first of the others."""
        return self.ensemble[:members] if self.kinds is None else (self.kinds,)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k[len(prefix) :]: v.float() for k, v in tensors.items() if k.startswith(prefix)}


def load_bundle(source: str = "bundled", members: int | None = None) -> Bundle:
    """Read the bundled weights, or others of the same kind; ten milliseconds a member.

    Args:
        source: ``"bundled"``, or the path of a file that ``scripts/train_bundled`` wrote.
        members: of the ensemble, at most so many; all where None.

    Raises:
        InputError: the file is missing, damaged, or holds something else.
    """
    if source == "bundled":
        with as_file(files("saccade.models") / _BUNDLED) as path:
            return _bundle(load_file(path), members)
    if not Path(source).is_file():
        raise InputError(f"{source}: no such file; weights are 'bundled' or a packed .safetensors")
    try:
        return _bundle(load_file(source), members)
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{source}: holds no weights of the per-image segmenter ({type(error).__name__}), must "
            "be a file that scripts/train_bundled wrote"
        ) from error


def shared_bundle(
    source: str = "bundled", members: int | None = None, device: torch.device | None = None
) -> Bundle:
    """The bundle of `load_bundle`, read once in a process: nobody may change it.

    Args:
        source: as there; a file that has changed is read again.
        members: as there.
        device: where its networks work; each device has a bundle of its own.

    >>> shared_bundle() is shared_bundle(), shared_bundle() is load_bundle()
    (True, False)

    Raises:
        InputError: as there.
    """
    path = Path(source)
    found = path.stat() if source != "bundled" and path.is_file() else None
    changed = None if found is None else (found.st_mtime_ns, found.st_size)
    return _kept_bundle(source, members, str(device or "cpu"), changed)


@lru_cache(maxsize=4)
def _kept_bundle(
    source: str, members: int | None, device: str, changed: tuple[int, int] | None
) -> Bundle:
    return load_bundle(source, members)


@lru_cache(maxsize=4)
def weights_digest(source: str = "bundled") -> str:
    """SHA-256 of the file that `load_bundle` reads, by which weights are told apart.

    >>> len(weights_digest())
    64
    """
    if source != "bundled":
        return hashlib.sha256(check_readable(source).read_bytes()).hexdigest()
    return hashlib.sha256((files("saccade.models") / _BUNDLED).read_bytes()).hexdigest()


_States = tuple[dict[str, Tensor], dict[str, Tensor]]  # of a member's encoder and fusion network
FILE_PARTS = {"encoder": "guide", "fusion": "evidence"}
"""What the networks of an ensemble member are called in the file of weights."""
KIND_PARTS = {"encoder": "kind_encoder", "fusion": "kind_fusion"}
"""The same of the member for images of a kind."""
_ENCODER, _FUSION = FILE_PARTS["encoder"], FILE_PARTS["fusion"]
_ENTRY = "enter.conv.weight"  # of the fusion network, one input channel for each cue
_GATES = "leave."  # what scales the log odds of cues that go straight through


def _bundle(tensors: dict[str, Tensor], members: int | None) -> Bundle:
    fuse, states = _part(tensors, "fuse."), _ensemble(tensors)[:members]
    objects = _part(tensors, "objects.")
    kinds = tuple(_part(tensors, f"{name}.") for name in KIND_PARTS.values())
    outputs, inputs = fuse["weight"].shape[:2]
    with torch.device("meta"):  # a start of their own would draw from the global random state
        bundle = Bundle(
            head=MobileNetHead(),
            fuse=nn.Conv2d(inputs, outputs, 1),
            start=_part(tensors, "start."),
            rates=_part(tensors, "rates."),
            ensemble=tuple(EnsembleMember(ImageEncoder(inputs), FusionNet()) for _ in states),
            objects=ObjectNet() if objects else None,
            kinds=EnsembleMember(ImageEncoder(inputs), FusionNet()) if all(kinds) else None,
        )
    bundle.fuse.load_state_dict(fuse, assign=True)
    bundle.fuse.eval().requires_grad_(False)
    loaded: list[tuple[nn.Module, dict[str, Tensor]]] = [(bundle.head, _part(tensors, "head."))]
    for member, (encoder, fusion) in zip(bundle.ensemble, states, strict=True):
        loaded += [(member.encoder, encoder), (member.fusion, fusion)]
    if bundle.objects is not None:
        loaded.append((bundle.objects, objects))
    if bundle.kinds is not None:
        loaded += [(bundle.kinds.encoder, kinds[0]), (bundle.kinds.fusion, kinds[1])]
    for module, state in loaded:
        module.load_state_dict(state, assign=True)
        _channels_last(module.eval().requires_grad_(False))
    return bundle


def _ensemble(tensors: dict[str, Tensor]) -> list[_States]:
    """The members in a file, before them the mean of their weights where there are several.

    The parts of the first have no number in their names, those of the others 1, 2, ...
    """
    parts = {name.split(".")[0] for name in tensors}
    numbers = sorted(p.removeprefix(_FUSION) for p in parts if p.startswith(_FUSION)) or [""]
    stored = [
        (_part(tensors, f"{_ENCODER}{n}."), _with_all_cues(_part(tensors, f"{_FUSION}{n}.")))
        for n in numbers
    ]
    return [_mean(stored), *stored] if len(stored) > 1 else stored


def _with_all_cues(fusion: dict[str, Tensor]) -> dict[str, Tensor]:
    """A fusion network's weights, 0 for the cues that there were not yet when it was trained.

    The gate of a cue that is 0 everywhere may be anything.
    """
    known, gates = fusion[_ENTRY], {name: fusion[name] for name in fusion if _GATES in name}
    new = known.new_zeros(len(known), len(CUES) - known.shape[1], *known.shape[2:])
    if len(fusion[f"{_GATES}bias"]) == 2:
        gates = {name: torch.cat([x, torch.zeros_like(x[:1])]) for name, x in gates.items()}
    return {**fusion, **gates, _ENTRY: torch.cat([known, new], 1)}


def _mean(stored: list[_States]) -> _States:
    def mean(states: tuple[dict[str, Tensor], ...]) -> dict[str, Tensor]:
        return {name: torch.stack([s[name] for s in states]).mean(0) for name in states[0]}

    encoders, fusions = zip(*stored, strict=True)
    return mean(encoders), mean(fusions)


def _channels_last(module: nn.Module) -> None:
    """Lay weights out so that maps become channels-last, whatever they were.

    With as few channels as there are here that takes half the time on a CPU.
    """
    module.to(memory_format=torch.channels_last)


def load_head(source: str, *, generator: torch.Generator | None = None) -> MobileNetHead:
    """The frozen extractor in eval mode.

    Args:
        source: ``"bundled"``, ``"random"``, or the path of a torchvision ``mobilenet_v2``
            checkpoint (``.pth`` or ``.safetensors``). One whose batch normalisation is folded
            into biases is taken to expect colours in [-1, 1], as 8-bit models do; ``.npz`` is one
            that pads as TensorFlow does.
        generator: draws the weights of ``"random"``.

    Raises:
        InputError: the file is missing or holds no MobileNetV2 of width 1.0.
    """
    if source == "bundled":
        return load_bundle(members=1).head
    with torch.device("meta"):
        head = MobileNetHead()
    if source == "random":
        head.load_state_dict(_random_weights(head, generator), assign=True)
    else:
        weights, folded = _from_torchvision(Path(source))
        for name, parameter in head.named_parameters():
            if weights[name].shape != parameter.shape:
                raise InputError(
                    f"{source}: {name} is {tuple(weights[name].shape)}, must be "
                    f"{tuple(parameter.shape)} as in mobilenet_v2 of width 1.0"
                )
        head.load_state_dict(weights, assign=True)
        if not folded:  # torchvision's training saw standardised colours in [0, 1]
            head.shift.copy_(2 * torch.tensor(_MEAN).view(1, 3, 1, 1) - 1)
            head.scale.copy_(2 * torch.tensor(_STD).view(1, 3, 1, 1))
        head.same_padding = source.endswith(".npz")
    _channels_last(head)
    return head.eval().requires_grad_(False)


def _random_weights(head: MobileNetHead, generator: torch.Generator | None) -> dict[str, Tensor]:
    weights = {n: torch.zeros(p.shape, device="cpu") for n, p in head.named_parameters()}
    for name, weight in weights.items():
        if not name.endswith("bias"):
            nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
    return weights


def _read(path: Path) -> Any:
    if path.suffix == ".npz":
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {k: torch.from_numpy(arrays[k].astype(np.float32)) for k in arrays}
    return load_file(path) if path.suffix == ".safetensors" else load_pickled(path)


def _from_torchvision(path: Path) -> tuple[dict[str, Tensor], bool]:
    """Our names and tensors, and whether the file had normalisation folded in already."""
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; features are 'bundled', 'random', or a local torchvision "
            "mobilenet_v2 checkpoint"
        )
    try:
        tensors = _read(path)
    except MemoryError:
        raise
    except Exception as error:  # unpickling raises nearly anything on a damaged file
        raise InputError(
            f"{path}: not a checkpoint that can be read ({type(error).__name__}), must be a state "
            "dict in .pth, .safetensors or .npz"
        ) from error
    if not isinstance(tensors, dict):
        raise InputError(f"{path}: holds a {type(tensors).__name__}, must be a state dict")
    tensors = as_torchvision(unwrap(tensors, "features.0.0.weight"))
    folded = {}
    for conv, norm, name in _TORCHVISION:
        try:
            weight, bias = _fold(tensors, conv, norm)
        except (KeyError, AttributeError) as error:
            raise InputError(
                f"{path}: not a torchvision mobilenet_v2 checkpoint, {conv} is missing"
            ) from error
        folded[f"{name}.weight"], folded[f"{name}.bias"] = weight, bias
    return folded, "features.0.0.bias" in tensors


def _fold(tensors: dict[str, Tensor], conv: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution with the batch normalisation after it folded in."""
    weight = tensors[f"{conv}.weight"].float()
    if f"{conv}.bias" in tensors:  # folded already
        return weight, tensors[f"{conv}.bias"].float()
    scale = tensors[f"{norm}.weight"].float() / torch.sqrt(
        tensors[f"{norm}.running_var"].float() + 1e-5
    )
    bias = tensors[f"{norm}.bias"].float() - tensors[f"{norm}.running_mean"].float() * scale
    return weight * scale.view(-1, 1, 1, 1), bias
