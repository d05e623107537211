"""Optimizer and schedule of a run, from the table `optim` of its configuration."""

from dataclasses import dataclass
from typing import Any, Literal

from saccade.data.tables import from_table
from saccade.errors import InputError

ClassWeights = Literal["none", "inverse", "log"]
Optimizer = Literal["sgd", "adamw"]

_USUAL: dict[Any, dict[str, Any]] = {"adamw": {"lr": 1e-4, "weight_decay": 0.01}}
"""What stands for keys that a table leaves out, where it is not what `OptimConfig` has."""


@dataclass(frozen=True)
class OptimConfig:
    """Optimizer and schedule.

    Attributes:
        epochs: passes over the training split; a run that is there may go on to more.
        batch: images per step, over all processes and accumulated parts together.
        lr: learning rate of what is pretrained, the backbone, at the start.
        head_lr: factor on it for everything else. The DSNet paper prints 0.1, most code has 10.
        bias_lr: factor on it for biases of convolutions; Caffe's networks have 2.
        optimizer: "sgd", or "adamw", which needs a far smaller lr; see `optim_of`.
        momentum: of SGD.
        weight_decay: of either; AdamW's does not depend on the gradients.
        decay_norms: whether biases and normalisations decay too.
        power: of the poly schedule, lr * (1 - step / steps) ** power.
        drop: a tenth of the rate after each such share of the run, in place of poly; 0 is poly.
        drop_once: a tenth after the first such share only, as in the MDC paper.
        warmup: steps of linear increase before it.
        accumulate: parts that a batch is cut into, to fit into memory; labelled pixels weigh the
            same in whatever part they are.
        class_weights: "none", "inverse" of the class's share of pixels, or "log", milder.
        auxiliary: weight of the second classifier's loss, where the network has one.
        ema: decay of the moving average of the weights that is evaluated and saved; 0 for none.
        clip: largest norm of the gradient; 0 for no limit.
        freeze: keep the backbone as it is, its normalization too, and train what is on top of it;
            quick where crops show whole images and `scale` is [1, 1], as its maps are remembered.
        layer_decay: factor on the rate from one layer of the backbone to the one before it: a block
            that is n blocks below the head has lr * layer_decay ** n; 1 has one rate for all.
        patience: stop after so many evaluations in a row without a better mIoU; 0 never does.
    """

    epochs: int = 50
    batch: int = 16
    lr: float = 0.007
    head_lr: float = 10.0
    bias_lr: float = 1.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    decay_norms: bool = True
    power: float = 0.9
    drop: float = 0.0
    drop_once: bool = False
    warmup: int = 0
    accumulate: int = 1
    class_weights: ClassWeights = "none"
    auxiliary: float = 0.4
    ema: float = 0.0
    clip: float = 0.0
    freeze: bool = False
    optimizer: Optimizer = "sgd"
    patience: int = 0
    layer_decay: float = 1.0


def optim_of(table: dict[str, Any]) -> OptimConfig:
    """The settings of a table `optim`; those left out are usual ones of its optimizer.

    Raises:
        InputError: an unknown key or a wrong value.

    Example:
        >>> optim_of({"optimizer": "adamw"}).lr, optim_of({}).lr
        (0.0001, 0.007)
    """
    name = table.get("optimizer")
    usual = _USUAL.get(name, {}) if isinstance(name, str) else {}
    optim: OptimConfig = from_table(OptimConfig, "optim", {**usual, **table})
    return optim


def check_optim(optim: OptimConfig) -> None:
    """Raise InputError for numbers that no optimizer or schedule can have."""
    at_least("optim: epochs", optim.epochs, 1)
    at_least("optim: batch", optim.batch, 1)
    at_least("optim: accumulate", optim.accumulate, 1)
    at_least("optim: warmup", optim.warmup, 0)
    at_least("optim: patience", optim.patience, 0)
    if min(optim.weight_decay, optim.clip) < 0:
        raise InputError("optim: weight_decay and clip must not be below 0")
    if min(optim.lr, optim.head_lr, optim.bias_lr) <= 0:
        raise InputError("optim: lr, head_lr and bias_lr must be above 0")
    if not 0 <= optim.drop <= 1:
        raise InputError(f"optim: drop is {optim.drop}, must be a share of the run in [0, 1]")
    if optim.drop_once and not optim.drop:
        raise InputError("optim: drop_once is true, but drop, the share of the run, is 0")
    if not 0 < optim.layer_decay <= 1:
        raise InputError(f"optim: layer_decay is {optim.layer_decay}, must be in (0, 1]")
    if not 0 <= optim.ema < 1 or not 0 <= optim.momentum < 1:
        raise InputError("optim: ema and momentum must be in [0, 1)")
    if optim.batch % optim.accumulate:
        raise InputError(
            f"optim: batch {optim.batch} cannot be cut into {optim.accumulate} equal parts"
        )


def at_least(name: str, value: int, low: int) -> None:
    """Raise InputError where a whole number is too small."""
    if value < low:
        raise InputError(f"{name} is {value}, must be at least {low}")
