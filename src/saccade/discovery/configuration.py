"""The text of a configuration that trains on a folder, with a comment on each choice."""

import os
from dataclasses import dataclass, field
from math import ceil

from saccade.discovery.numbers import Numbers

_LARGE = 1536
"""Images with a longer shorter side are shrunk for the training."""
_EVALUATIONS = 20


@dataclass(frozen=True)
class Facts:
    """What the configuration depends on.

    Attributes:
        title: name of the data.
        train: images to train on.
        val: images held out.
        side: shorter side of a typical image, in pixels.
        gpu: whether there is one.
        pretrained: whether torchvision's weights of the backbone lie on this machine.
        layout: of the data.
        root: its folder, relative to the configuration.
        held_out: how the images of `val` were chosen, in words.
        splits: names of the splits that are trained and evaluated on.
        numbers: channels of the images, and whether black and white are measured.
    """

    title: str
    train: int
    val: int
    side: int
    gpu: bool
    pretrained: bool
    layout: str = "lists"
    root: str = "."
    held_out: str = ""
    splits: tuple[str, str] = ("train", "val")
    numbers: Numbers = field(default_factory=Numbers)


def configuration_text(facts: Facts) -> str:
    """A TOML file that `saccade train` takes.

    Example:
        >>> text = configuration_text(Facts("cells", 32, 8, 300, False, False))
        >>> [line for line in text.splitlines() if line.startswith("batch")]
        ['batch = 4                  # images that are looked at together in a step']
    """
    target, most = (4000, 16) if facts.gpu else (600, 4)
    batch = max(2, min(most, facts.train))
    per_epoch = facts.train // batch
    epochs = min(400, max(5, ceil(target / per_epoch)))
    resize = (1024 if facts.gpu else 512) if facts.side > _LARGE else 0
    side = max(64, min(512 if facts.gpu else 256, (resize or facts.side) // 32 * 32))
    lists = facts.layout == "lists"
    lines = [
        f"# How to train a network on {facts.title}. Written by `saccade init`; every line may be",
        "# changed. What else may stand here: docs/reference/training-files.md",
        "",
        "[data]",
        *_row(f'layout = "{facts.layout}"', _LAYOUT if lists else "its folders are known"),
        *_row(f'root = "{facts.root}"', "relative to this file"),
        *_row(f'train = "{facts.splits[0]}"', f"{facts.train} images to learn from"),
        *_row(f'val = "{facts.splits[1]}"', f"{facts.val} images to score on: {facts.held_out}"),
        *_GROUPS * ("chance" in facts.held_out),
        *_numbers(facts.numbers),
        "",
        "[network]",
        *_row('backbone = "mobilenet_v2"', 'small and quick; "resnet50" is larger and slower'),
        *_row('pyramid = "gdpp"', 'sees what is around a pixel; or "aspp", "s-aspp", "none"'),
        *_weights(facts.pretrained),
        "",
        "[optim]",
        *_row(f"epochs = {epochs}", f"times that all images are seen: {epochs * per_epoch} steps"),
        *_row(f"batch = {batch}", "images that are looked at together in a step"),
        *_row('optimizer = "adamw"', 'forgives most; "sgd" is that of the papers'),
        *_row(f"lr = {_RATE:g}", "learning rate; a tenth of it if the loss jumps up and down"),
        *_row("head_lr = 1.0", "factor on it for all but the backbone"),
        *_row("patience = 0", "5 would end the run after 5 scores without a better one"),
        "",
        "[loss]",
        *_row("cross_entropy = 1.0", "the usual loss ..."),
        *_row("dice = 1.0", "... and one that counts a small class as much as a large one"),
        "",
        "[augmentation]",
        *_resize(resize),
        *_row(f"crop = [{side}, {side}]", "height and width of the part that is looked at"),
        *_row("scale = [0.75, 1.5]", "made smaller or larger by a random factor between these"),
        *_row("flip = 0.5", "every second time left and right are exchanged; 0.0 for letters"),
        *_jitter(facts.numbers),
        "",
        "[run]",
        *_row("seed = 0", "the same seed gives the same network on one machine"),
        *_row(f"workers = {_workers()}", "processes that read images"),
        *_row(f"validate_every = {max(1, epochs // _EVALUATIONS)}", "epochs between two scores"),
    ]
    return "\n".join(lines) + "\n"


_RATE = 1e-3
_LAYOUT = "train.txt and val.txt: a line is an image and its mask"
_GROUPS = (
    "# If images belong together (frames of one film, parts of one slide), hold out whole groups",
    "# of them: move their lines between train.txt and val.txt. Else scores are too good.",
)


def _row(setting: str, comment: str) -> list[str]:
    return [f"{setting:<27}# {comment}"]


def _weights(pretrained: bool) -> list[str]:
    if pretrained:
        return _row('weights = "imagenet"', "starts from a network that knows photographs")
    return [
        *_row('weights = "none"', "starts from nothing. A start from a network that knows"),
        f"{'':<27}# photographs needs fewer images and less time: name a file of",
        f"{'':<27}# torchvision's or timm's MobileNetV2 here.",
    ]


def _numbers(numbers: Numbers) -> list[str]:
    if not numbers.measured:
        return []
    lines = _row('intensities = "measured"', "black and white, found in the images to learn from")
    if numbers.channels > 1:
        named = ", ".join(numbers.names) if len(numbers.names) <= _NAMED else ""
        what = f"all {numbers.channels}: {named}" if named else f"all {numbers.channels}"
        lines += _row("channels = []", f'{what}; or some, such as ["1", "2"]')
    return lines


_NAMED = 6


def _jitter(numbers: Numbers) -> list[str]:
    if numbers.has_colors:
        return _row("jitter = 0.2", "brightness, contrast and colors change by up to so much")
    return _row("jitter = 0.0", "changes of brightness and colors, which these images have not")


def _resize(side: int) -> list[str]:
    if not side:
        return []
    return _row(f"resize = {side}", "images are large: their shorter side is brought to this first")


def _workers() -> int:
    return max(0, min(4, (os.cpu_count() or 1) - 1))
