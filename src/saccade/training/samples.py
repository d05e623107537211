"""Samples in the order of training: a function of seed and step, so that any step can be resumed.

Nothing here keeps a state. Which images are in step s, and how each is augmented, follows from
the seed, s and the image alone; so a resumed run sees what the interrupted one would have seen,
and two processes together see what one would.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset, Sampler, default_collate

from saccade.data.examples import require_same_size
from saccade.data.sets import LabeledSet
from saccade.data.transforms import Augmentation, augment
from saccade.errors import InputError
from saccade.training.signals import without_ctrl_c
from saccade.training.supervised_data import AllowedClasses
from saccade.training.supervision import Batch, SupervisionConfig

T = TypeVar("T")

Key = tuple[int, int]
"""Epoch and index of an example."""


def mix_seeds(*numbers: int) -> int:
    """One seed from several numbers; neighbours give unrelated seeds (SplitMix64 per number)."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) % 2**64
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            state = ((state ^ (state >> shift)) * factor) % 2**64
        state ^= state >> 31
    return state >> 1


class Examples(Dataset[Batch]):
    """Augmented examples by (epoch, index)."""

    def __init__(
        self,
        data: LabeledSet,
        augmentation: Augmentation,
        seed: int,
        supervision: SupervisionConfig | None = None,
    ) -> None:
        self.data, self.augmentation, self.seed = data, augmentation, seed
        self.allowed = AllowedClasses(data, supervision or SupervisionConfig())

    def __getitem__(self, key: Key) -> Batch:
        """One example, a `Batch` without its first axis."""
        epoch, index = key
        example = self.data.examples[index]
        image = self.data.image(index)
        labels = self.data.labels(index, (image.shape[0], image.shape[1]))
        require_same_size(example, labels.shape, image.shape[:2])
        seed = mix_seeds(self.seed, 1, epoch, index)
        picture, mask, inside = augment(image, labels, self.augmentation, seed)
        return Batch(picture, mask, inside, self.allowed.classes(example, labels))


class Order(Sampler[list[Key]]):
    """The parts of the batches that one process trains on, from a step to the end of the run.

    Args:
        count: of examples.
        batch: images per step over all processes.
        epochs: of the run.
        parts: that a batch is cut into: processes times accumulation.
        mine: which parts of each batch this process takes.
        seed: of the order.
        start: the first step.
    """

    def __init__(
        self,
        count: int,
        batch: int,
        epochs: int,
        *,
        parts: int = 1,
        mine: tuple[int, ...] = (0,),
        seed: int = 0,
        start: int = 0,
    ) -> None:
        if count < batch:
            raise InputError(f"{count} training images are fewer than a batch of {batch}")
        if batch % parts:
            raise InputError(f"a batch of {batch} cannot be cut into {parts} equal parts")
        self.count, self.batch, self.seed, self.start = count, batch, seed, start
        self.parts, self.mine = parts, mine
        self.steps_per_epoch = count // batch
        self.steps = self.steps_per_epoch * epochs

    def __len__(self) -> int:
        return (self.steps - self.start) * len(self.mine)

    def __iter__(self) -> Iterator[list[Key]]:
        epoch, order = -1, torch.empty(0)
        size = self.batch // self.parts
        for step in range(self.start, self.steps):
            if step // self.steps_per_epoch != epoch:
                epoch = step // self.steps_per_epoch
                generator = torch.Generator().manual_seed(mix_seeds(self.seed, 2, epoch))
                order = torch.randperm(self.count, generator=generator)
            first = step % self.steps_per_epoch * self.batch
            for part in self.mine:
                chosen = order[first + part * size : first + (part + 1) * size]
                yield [(epoch, int(index)) for index in chosen]


class _ErrorsAsItems(Dataset[Any]):
    """Samples, or what is wrong with them: PyTorch would wrap an error in its traceback."""

    def __init__(self, samples: Dataset[Any]) -> None:
        self.samples = samples

    def __getitem__(self, key: Key) -> Any:
        try:
            return self.samples[key]
        except InputError as error:
            return error


def _collate(parts: list[Any]) -> Any:
    errors = [part for part in parts if isinstance(part, InputError)]
    return errors[0] if errors else default_collate(parts)


def load_batches(samples: Dataset[T], order: Order, workers: int) -> Iterator[T]:
    """Batches of `order`, read in `workers` processes or in this one.

    Args:
        samples: by (epoch, index); tensors, or tuples of them, which are stacked.
        order: which samples are in which batch.
        workers: processes that read; 0 reads in this one.

    Raises:
        InputError: an image or mask that cannot be read, in the words of `samples`.
    """
    # Not inside the generator: it draws a seed, and the first step's dropout should not notice.
    with without_ctrl_c() if workers else nullcontext():
        batches = iter(_loader(samples, order, workers))
    return (_raise_error(batch) for batch in batches)


def _raise_error(batch: Any) -> Any:
    if isinstance(batch, InputError):
        raise batch
    return batch


def _loader(samples: Dataset[Any], order: Order, workers: int) -> DataLoader[Any]:
    return DataLoader(
        _ErrorsAsItems(samples),
        collate_fn=_collate,
        batch_sampler=order,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=torch.cuda.is_available(),
        # A fork of a process with threads may hang; workers need nothing of it.
        multiprocessing_context="forkserver" if workers else None,
    )
