"""Maps of a backbone of timm, as further features of images of a kind."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from saccade.errors import InputError
from saccade.images.extras import require_module

COARSEST = 16
"""Stride of the coarsest maps that are taken: a place of theirs is 16 x 16 pixels."""
_PREFIX = "timm:"
_CACHED = "model.safetensors", "pytorch_model.bin"


class TimmMaps(nn.Module):
    """A backbone without its head, frozen.

    Attributes:
        name: of timm.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, backbone: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.name = name
        self.backbone = backbone.eval().requires_grad_(False)
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Maps (1, C, h, w) from fine to coarse of an image (1, 3, H, W), 0 to 255.

        H and W are multiples of `COARSEST`; h = H / stride and w = W / stride, rounded up.
        """
        height, width = image.shape[2:]
        # Windows of 32 are what the deepest stages of some backbones need.
        padded = F.pad(image, (0, -width % 32, 0, -height % 32), mode="replicate")
        found: list[Tensor] = self.backbone((padded - self.mean) / self.std)
        steps = [padded.shape[2] // maps.shape[2] for maps in found]
        return [
            maps[:, :, : -(-height // step), : -(-width // step)]
            for maps, step in zip(found, steps, strict=True)
        ]


def is_timm(features: str) -> bool:
    """Whether features are those of a backbone of timm.

    >>> is_timm("timm:resnet18"), is_timm("bundled")
    (True, False)
    """
    return features.startswith(_PREFIX)


def load_timm(features: str, device: torch.device | None = None) -> TimmMaps:
    """A backbone of timm with its weights; nothing is downloaded.

    Args:
        features: ``"timm:NAME"`` with weights that timm has in its cache, or
            ``"timm:NAME@FILE"`` with a file of them (.safetensors, .bin, .pth).
        device: where it works, by default the CPU.

    Raises:
        InputError: timm is not installed, has no such backbone, there are no weights, they belong
            to another network, it takes images of some sizes alone, or its maps do not come as
            (1, C, h, w) at strides up to 16.

    Example:
        >>> load_timm("timm:no_such_net")
        Traceback (most recent call last):
        saccade.errors.InputError: timm:no_such_net: timm has no such backbone; \
timm.list_models('*') lists them
    """
    name, _, file = features.removeprefix(_PREFIX).partition("@")
    timm = _known(features, name)
    path = Path(file) if file else cached_weights(features, name, timm)
    if not path.is_file():
        raise InputError(f"{path}: no such file, expected the weights of timm's {name}")
    try:
        backbone = _backbone(
            timm, name, pretrained=True, pretrained_cfg_overlay={"file": str(path)}
        )
    except (KeyError, OSError, RuntimeError, TypeError, ValueError, SafetensorError) as error:
        raise InputError(
            f"{path}: cannot be the weights of timm's {name} as features ({_reason(error)})"
        ) from error
    return _checked(features, name, timm, backbone, device)


def restore_timm(
    name: str, weights: Mapping[str, Tensor], device: torch.device | None = None
) -> TimmMaps:
    """A backbone of timm with weights that `TimmMaps.state_dict` gave.

    Raises:
        InputError: timm is not installed or has no such backbone.
        RuntimeError: the weights belong to another one.
    """
    timm = _known(_PREFIX + name, name)
    backbone = _backbone(timm, name, pretrained=False)
    found = _checked(_PREFIX + name, name, timm, backbone, device)
    found.load_state_dict(weights)
    return found


def _known(features: str, name: str) -> Any:
    timm = require_module(features, "features of timm", "timm", "timm")
    if not timm.is_model(name):
        raise InputError(f"{features}: timm has no such backbone; timm.list_models('*') lists them")
    return timm


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _checked(
    features: str, name: str, timm: Any, backbone: nn.Module, device: torch.device | None
) -> TimmMaps:
    settings = timm.get_pretrained_cfg(name)
    found = TimmMaps(name, backbone, list(settings.mean), list(settings.std)).to(device)
    _check_maps(features, found)
    return found


def _backbone(timm: Any, name: str, **options: Any) -> nn.Module:
    """The stages up to stride 16, the last of those that share a stride."""
    with torch.device("meta"):  # strides alone are asked for
        stages = timm.create_model(name, pretrained=False, features_only=True).feature_info
    last = {step: index for index, step in enumerate(stages.reduction()) if step <= COARSEST}
    if not last:
        raise ValueError(f"it has no maps at strides up to {COARSEST}")
    options |= {"features_only": True, "out_indices": tuple(sorted(last.values()))}
    with quiet_timm():
        try:  # of transformers: images of any size
            made: nn.Module = timm.create_model(name, dynamic_img_size=True, **options)
        except TypeError:
            made = timm.create_model(name, **options)
    return made


@contextmanager
def quiet_timm() -> Iterator[None]:
    """Keep timm from warning of weights that no layer takes: the head is left out on purpose."""
    log = logging.getLogger("timm.models")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def cached_weights(features: str, name: str, timm: Any) -> Path:
    """The file in the cache of the hub that timm takes its weights from.

    Raises:
        InputError: it is not there.
    """
    from huggingface_hub import try_to_load_from_cache

    hub = timm.get_pretrained_cfg(name).hf_hub_id
    for file in _CACHED if hub else ():
        found = try_to_load_from_cache(hub, file)
        if isinstance(found, str):
            return Path(found)
    raise InputError(
        f"{features}: its weights are not in timm's cache, and nothing is downloaded; name a file "
        f"of them: {features}@FILE"
    )


def _check_maps(features: str, maps: TimmMaps) -> None:
    try:
        with torch.no_grad():
            found = maps(torch.zeros(1, 3, 64, 96, device=maps.mean.device))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise InputError(
            f"{features}: takes no image of 64 x 96 ({_reason(error)}), expected a backbone for "
            "images of any size"
        ) from error
    for one in found:
        height, width = one.shape[2:] if one.ndim == 4 else (0, 0)
        if height * 96 != width * 64 or 64 % max(height, 1) or height * COARSEST < 64:
            raise InputError(
                f"{features}: its maps are {tuple(one.shape)} for an image of 64 x 96, expected "
                f"(1, C, 64 / s, 96 / s) with a stride s of at most {COARSEST}"
            )
