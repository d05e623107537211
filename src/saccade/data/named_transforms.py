"""Augmentations by name: transforms of torchvision v2 with their arguments, or functions.

`RandomRotation(degrees=15)` is a class of `torchvision.transforms.v2`, with arguments that are
plain values; `module:function` takes image and mask and returns both.
"""

import ast
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
            or picture.shape[0] != 3
            or labels.dtype != torch.uint8
            or labels.shape != (len(mask), *picture.shape[1:])
        ):
            raise InputError(
                f"augmentation: {text!r} returned {tuple(picture.shape)} {picture.dtype} and "
                f"{tuple(labels.shape)} {labels.dtype}, expected (3, h, w) and ({len(mask)}, h, w) "
                "of bytes"
            )
        return tv_tensors.Image(picture), tv_tensors.Mask(labels)

    return apply
