"""Augmentation for training on whole data sets, with torchvision's transforms v2.

As in the DSNet paper: random scale, random crop, horizontal flip; color jitter on request.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from saccade.data.named_transforms import GREY, named_transform, require_channels
from saccade.data.specs import IGNORE
from saccade.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """What happens to an image before it trains a network.

    Attributes:
        crop: (height, width) of what the network sees; smaller images are padded.
        scale: range of the random factor on the image's size; (1, 1) leaves it.
        resize: shorter side in pixels before everything else; 0 leaves it.
        flip: probability of a horizontal flip.
        jitter: strength of changes to brightness, contrast and saturation, 0 for none; for images
            of one or three channels.
        more: transforms of torchvision v2 with their arguments, such as
            "RandomRotation(degrees=15)", or "module:function", which takes an image (C, H, W) and
            planes (2, H, W), the mask and where there is an image, both bytes, and returns them;
            before the crop, in this order.
    """

    crop: tuple[int, int] = (512, 512)
    scale: tuple[float, float] = (0.5, 2.0)
    resize: int = 0
    flip: float = 0.5
    jitter: float = 0.0
    more: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises InputError for values out of range."""
        if len(self.crop) != 2 or min(self.crop) < 1:
            raise InputError(f"augmentation: crop is {self.crop!r}, must be (height, width)")
        if len(self.scale) != 2 or not 0 < self.scale[0] <= self.scale[1]:
            raise InputError(f"augmentation: scale is {self.scale!r}, must be (low, high), low > 0")
        if not 0 <= self.flip <= 1 or not 0 <= self.jitter < 1 or self.resize < 0:
            raise InputError("augmentation: flip must be in [0, 1], jitter in [0, 1), resize >= 0")
        for text in self.more:
            named_transform(text)


def check_channels(settings: Augmentation, count: int) -> None:
    """Raise InputError where images of so many channels cannot be augmented so.

    Example:
        >>> check_channels(Augmentation(jitter=0.2), 5)
        Traceback (most recent call last):
        saccade.errors.InputError: augmentation: jitter changes colors, but images have 5 \
channels; expected jitter = 0
    """
    if settings.jitter and count not in (1, 3):
        raise InputError(
            f"augmentation: jitter changes colors, but images have {count} channels; expected "
            "jitter = 0"
        )
    for text in settings.more:
        require_channels(text, count)


def augment(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], settings: Augmentation, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Augment one example; the same seed gives the same result, in whatever process.

    Args:
        image: (H, W, C) uint8.
        labels: (H, W) uint8, 255 where there is no class.
        settings: what to do.
        seed: of all that is random here.

    Returns:
        (C, h, w) uint8, (h, w) uint8 and (h, w) bool, all of the size of the crop; padding is
        grey, has no class, and is False in the last.
    """
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    picture: Any = tv_tensors.Image(torch.from_numpy(np.moveaxis(image, 2, 0).copy()))
    # The second plane goes the same way and says where there is an image.
    planes = np.stack([labels, np.zeros_like(labels)])
    mask: Any = tv_tensors.Mask(torch.from_numpy(planes))
    # torchvision draws from the global generator; what it holds is put back afterwards.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        low, high = settings.scale
        factor = low + (high - low) * float(torch.rand(()))
        height, width = labels.shape
        if settings.resize:
            factor *= settings.resize / min(height, width)
        size = [max(1, round(height * factor)), max(1, round(width * factor))]
        steps: list[Any] = []
        if size != [height, width]:
            steps.append(v2.Resize(size, antialias=True))
        steps += [named_transform(text) for text in settings.more]
        grey: dict[Any, Any] = {tv_tensors.Image: GREY, tv_tensors.Mask: IGNORE}
        steps.append(v2.RandomCrop(list(settings.crop), pad_if_needed=True, fill=grey))
        steps.append(v2.RandomHorizontalFlip(settings.flip))
        if settings.jitter:
            strength = settings.jitter
            steps.append(v2.ColorJitter(strength, strength, strength))
        picture, mask = v2.Compose(steps)(picture, mask)
    mask = mask.as_subclass(Tensor)
    return picture.as_subclass(Tensor), mask[0], mask[1] != IGNORE
