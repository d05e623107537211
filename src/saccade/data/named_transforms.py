"""Augmentations by name: transforms of torchvision v2 with their arguments, or functions.

`RandomRotation(degrees=15)` is a class of `torchvision.transforms.v2`, with arguments that are
plain values; `module:function` takes image and mask and returns both.
"""

import ast
import copy
import inspect
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from saccade.data.specs import IGNORE
from saccade.errors import InputError
from saccade.files import one_line

GREY = 124
"""What images are filled with where a transform leaves nothing."""

_CHANGES_VALUES = frozenset({"ToDtype", "Normalize", "ToImage", "ToPureTensor", "ToPILImage"})


@lru_cache(maxsize=64)
def named_transform(text: str) -> Callable[[Any, Any], tuple[Any, Any]]:
    """What an entry of `augmentation.more` stands for: takes and returns image and mask.

    Args:
        text: a transform such as "RandomRotation(degrees=15)", or "module:function".

    Raises:
        InputError: there is no such transform or function, or it does not take its arguments.

    Example:
        >>> named_transform("RandomRotatoin(15)")
        Traceback (most recent call last):
        saccade.errors.InputError: augmentation: 'RandomRotatoin' is no transform of \
torchvision.transforms.v2
    """
    if ":" in text and "(" not in text.partition(":")[0]:
        return _function(text)
    name, arguments, settings = _parsed(text)
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    kind: Any = getattr(v2, name, None)
    if not (inspect.isclass(kind) and issubclass(kind, v2.Transform)) or name in _CHANGES_VALUES:
        raise InputError(
            f"augmentation: {name!r} is no transform of torchvision.transforms.v2"
            + (" for images of bytes" if name in _CHANGES_VALUES else "")
        )
    if "fill" in inspect.signature(kind).parameters and "fill" not in settings:
        settings["fill"] = {tv_tensors.Image: GREY, tv_tensors.Mask: IGNORE}
    make: Any = kind
    try:
        transform: Callable[[Any, Any], tuple[Any, Any]] = make(*arguments, **settings)
    except (TypeError, ValueError) as error:
        raise InputError(f"augmentation: {text!r}: {one_line(error)}") from error
    return transform


def require_channels(text: str, count: int) -> None:
    """Try a transform of torchvision on an image of noise, whatever its probability is.

    Raises:
        InputError: it does not take images of so many channels.

    Example:
        >>> require_channels("RandomGrayscale(p=0.1)", 3)
        >>> require_channels("RandomGrayscale(p=0.1)", 5)
        Traceback (most recent call last):
        saccade.errors.InputError: augmentation: 'RandomGrayscale(p=0.1)' takes no images of 5 \
channels (...)
    """
    transform: Any = named_transform(text)
    if inspect.isfunction(transform):  # its result is looked at each time
        return
    from torchvision import tv_tensors

    if isinstance(getattr(transform, "p", None), float):
        transform = copy.copy(transform)
        transform.p = 1.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        image: Any = tv_tensors.Image(torch.randint(0, 256, (count, 96, 96), dtype=torch.uint8))
        mask: Any = tv_tensors.Mask(torch.zeros(2, 96, 96, dtype=torch.uint8))
        try:
            found = transform(image, mask)[0].shape[0]
        except (TypeError, ValueError, RuntimeError) as error:
            if count == 3:  # its arguments; said where it is used
                return
            raise InputError(
                f"augmentation: {text!r} takes no images of {count} channels ({one_line(error)})"
            ) from error
    if found != count:
        raise InputError(
            f"augmentation: {text!r} makes {found} channels of {count}, expected as many"
        )


def _parsed(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if isinstance(call, ast.Name):
            return call.id, [], {}
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            settings = {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg}
            return call.func.id, [ast.literal_eval(value) for value in call.args], settings
    except (SyntaxError, ValueError, RecursionError):
        pass
    raise InputError(
        f"augmentation: {text!r} is no transform, expected for example "
        "'RandomRotation(degrees=15)' or 'module:function'"
    )


def _function(text: str) -> Callable[[Any, Any], tuple[Any, Any]]:
    module, _, name = text.partition(":")
    try:
        function = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"augmentation: {text!r}: {one_line(error)}") from error

    def apply(image: Tensor, mask: Tensor) -> tuple[Any, Any]:
        """Call it on plain tensors, and look at what it returns."""
        from torchvision import tv_tensors

        picture, labels = function(image.as_subclass(Tensor), mask.as_subclass(Tensor))
        if (
            picture.dtype != torch.uint8
            or picture.shape[0] != image.shape[0]
            or labels.dtype != torch.uint8
            or labels.shape != (len(mask), *picture.shape[1:])
        ):
            raise InputError(
                f"augmentation: {text!r} returned {tuple(picture.shape)} {picture.dtype} and "
                f"{tuple(labels.shape)} {labels.dtype}, expected ({len(image)}, h, w) and "
                f"({len(mask)}, h, w) of bytes"
            )
        return tv_tensors.Image(picture), tv_tensors.Mask(labels)

    return apply
