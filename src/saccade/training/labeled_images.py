"""Images with labels of the whole image, as a classifier is trained on them."""

import hashlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from saccade.data.sets import LabeledSet
from saccade.data.transforms import Augmentation, augment
from saccade.errors import InputError
from saccade.strict_json import json_text
from saccade.training.samples import Key, mix_seeds


class LabeledImages(Dataset[tuple[Tensor, Tensor]]):
    """Augmented images by (epoch, index), and which classes they have.

    Args:
        data: the images; their masks are not read.
        present: (N, K) bool, the labels of each image.
        augmentation: of the images.
        seed: of the augmentation.
    """

    def __init__(
        self,
        data: LabeledSet,
        present: NDArray[np.bool_],
        augmentation: Augmentation,
        seed: int,
    ) -> None:
        self.paths = [example.image for example in data.examples]
        self.reading = data.reading
        self.present, self.augmentation, self.seed = torch.from_numpy(present), augmentation, seed
        self.identity = {
            "classes": list(data.spec.names),
            "images": _hash([example.name for example in data.examples]),
            "labels": _hash(present.astype(int).tolist()),
        }

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        """(3, h, w) uint8 and (K,) bool."""
        epoch, index = key
        image = self.reading.read(self.paths[index]).pixels
        nothing = np.zeros(image.shape[:2], np.uint8)
        seed = mix_seeds(self.seed, 1, epoch, index)
        return augment(image, nothing, self.augmentation, seed)[0], self.present[index]

    def __len__(self) -> int:
        return len(self.paths)

    def some(self, count: int) -> Tensor:
        """At most `count` images of epoch 0, evenly spread: (B, 3, h, w) in [0, 1]."""
        indices = np.linspace(0, len(self) - 1, min(count, len(self))).astype(int)
        return torch.stack([self[0, int(i)][0] for i in indices]).float() / 255


def _hash(content: Any) -> str:
    return hashlib.sha256(json_text(content).encode()).hexdigest()[:16]


def check_labels(data: LabeledSet, present: NDArray[np.bool_]) -> None:
    """Raise InputError where a class but the background is in no image."""
    never = np.flatnonzero(~present.any(0))
    names = [n for n in (data.spec.names[i] for i in never) if n != "background"]
    if names:
        raise InputError(
            f"{data.title}: class {names[0]!r} is in no image"
            + (f" (and {len(names) - 1} more classes)" if len(names) > 1 else "")
            + "; take it out of the classes, or label images with it"
        )
