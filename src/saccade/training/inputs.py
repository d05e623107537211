"""The images of a run: opened, and checked before the first step."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from saccade.data.check import (
    Findings,
    inspect,
    require_labels,
    require_trainable,
    what_is_odd,
)
from saccade.data.sets import LabeledSet, find_set, open_set, require_complete
from saccade.data.transforms import check_channels
from saccade.errors import InputError
from saccade.images.network_input import channel_count
from saccade.training.config import DataConfig, TrainConfig
from saccade.training.supervised_data import supervised_by, with_unmasked
from saccade.training.supervision import SupervisionConfig

Report = Callable[[float, float, str], None]
"""Told how much of how much is done, and what is being done."""


def open_sets(
    data: DataConfig, supervision: SupervisionConfig | None = None
) -> tuple[LabeledSet, LabeledSet | None]:
    """The training split, with other masks where these are asked for, and the validation split.

    Raises:
        InputError: as `open_set` and `supervised_by`.
    """
    if not data.train:
        raise InputError("data: train is empty, name a split")
    supervision, root = supervision or SupervisionConfig(), Path(data.root)
    found = with_unmasked(find_set(data.layout, root, data.train), supervision)
    require_complete(found, root, data.train)
    val = open_set(data.layout, root, data.val) if data.val else None
    val = val and replace(val, examples=val.examples[:: data.every])
    training = supervised_by(replace(found, examples=found.examples[:: data.every]), supervision)
    how = data.reading_of([example.image for example in training.examples])
    val = val and replace(val, reading=how)
    return replace(training, reading=how), val


def check_batch(config: TrainConfig, training: LabeledSet) -> None:
    """Raise InputError for a batch that these images and this network cannot be trained in.

    So it is where the images cannot be augmented as asked, for their number of channels.
    """
    check_channels(config.augmentation, channel_count(training.reading))
    optim, count = config.optim, len(training.examples)
    if optim.batch > count:
        raise InputError(f"optim: batch is {optim.batch}, but there are {count} training images")
    pooled = config.network.network in ("dsnet", "deeplabv3plus") or (
        config.network.network == "deeplab" and config.network.pyramid != "none"
    )
    parts = int(os.environ.get("WORLD_SIZE", "1")) * optim.accumulate
    if pooled and optim.batch // parts < 2:
        raise InputError(
            f"optim: batch {optim.batch} in {parts} parts leaves one image in each; image pooling "
            "is normalised over the images of a part, which must be at least 2"
        )


def check_sets(
    training: LabeledSet, val: LabeledSet | None, report: Report
) -> tuple[Findings, tuple[str, ...]]:
    """Every file is read once before the first step, so that a bad one is not found at night.

    Returns:
        What is in the training split, with the digest of all masks, those of `val` included, and
        lines on what somebody should know before hours are spent.

    Raises:
        InputError: a file that cannot be used, masks that nothing can be learned from, or
            validation masks without any class.
    """
    count = len(training.examples) + (len(val.examples) if val else 0)

    def report_from(first: int) -> Callable[[int, int], None]:
        return lambda done, _: report(first + done, count, "checking images and masks")

    findings = inspect(training, report_from(0))
    require_trainable(findings)
    notes = [f"training: {remark}" for remark in (*training.remarks, *findings.remarks)]
    if findings.absent:
        names = ", ".join(findings.absent)
        notes.append(
            f"no training mask has the class {names}; the network cannot learn it{findings.hint}"
        )
    if val is not None:
        evaluated_on = inspect(val, report_from(len(training.examples)))
        require_labels(evaluated_on)
        findings = replace(findings, digest=f"{findings.digest} {evaluated_on.digest}")
        odd = what_is_odd(evaluated_on, findings.absent)
        notes += [f"validation: {line}" for line in (*val.remarks, *odd)]
    return findings, tuple(notes)
