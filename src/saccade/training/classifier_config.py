"""How a multi-dilated classifier is trained (MDC paper, section 3.2), read from TOML."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from saccade.data.tables import from_table
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.models.mdc import LocalizerConfig
from saccade.training.config import DataConfig, data_config_of, resolve_path
from saccade.training.optim_config import OptimConfig, at_least, check_optim

# The paper's, but that it has one drop of the rate and no change of scale, as its tables have
# (`saccade.experiments.mdc.map_labels.classifier_config`).
_OPTIM: dict[str, Any] = {"epochs": 15, "batch": 30, "lr": 0.001, "drop": 0.4}
_AUGMENTATION: dict[str, Any] = {"crop": (321, 321), "scale": (0.75, 1.5)}
# Settings of `saccade train` that mean nothing to a classifier.
_OTHERS = {
    "optim": ("accumulate", "auxiliary", "class_weights", "ema", "patience"),
    "run": ("deterministic", "pictures", "precision", "sync_norm", "validate_every"),
}


@dataclass(frozen=True)
class LocalizerTraining:
    """How a classifier is trained; the defaults are the paper's.

    Attributes:
        network: what is trained; its number of classes comes from the data.
        weights: of the backbone: "imagenet", a file, or "none".
        optim: optimizer and schedule; class_weights, auxiliary, accumulate, ema
            and patience are not for it.
        augmentation: of the images.
        seed: of weights, order and augmentation.
        device: "auto", "cpu" or "cuda".
        workers: processes that read images.
        save_every: steps between saved states, beside those at the end of each epoch.
    """

    network: LocalizerConfig
    weights: str = "none"
    optim: OptimConfig = field(default_factory=lambda: OptimConfig(**_OPTIM))
    augmentation: Augmentation = field(default_factory=lambda: Augmentation(**_AUGMENTATION))
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = 0
    save_every: int = 200


@dataclass(frozen=True)
class _RunTable:
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = 0
    save_every: int = 200


def localizer_training_of(
    content: dict[str, Any], folder: Path
) -> tuple[DataConfig, LocalizerTraining]:
    """Data and training from the tables data, network, optim, augmentation and run.

    They are those of `saccade.training.config.config_of`, but for the defaults, which are the
    MDC paper's, and the keys of network, which are those of `LocalizerConfig`, and weights.

    Args:
        content: of the file, see `saccade.training.config.read_toml`.
        folder: of the file; relative paths start there.

    Raises:
        InputError: an unknown table or key, or a wrong value.

    Example:
        >>> tables = {"data": {"layout": "voc", "root": "VOC2012"}, "optim": {"epochs": 3}}
        >>> data, training = localizer_training_of(tables, Path("/data"))
        >>> data.root, training.optim.epochs, training.optim.batch
        ('/data/VOC2012', 3, 30)
    """
    names = ("data", "network", "optim", "augmentation", "run")
    unknown = sorted(set(content) - set(names))
    if unknown:
        raise InputError(f"[{unknown[0]}] is no table here; there are {', '.join(names)}")
    tables = {name: dict(content.get(name, {})) for name in names}
    for name, others in _OTHERS.items():
        wrong = sorted(set(others) & set(tables[name]))
        if wrong:
            raise InputError(f"{name}: {wrong[0]!r} is no setting of a classifier, leave it out")
    network = tables["network"]
    if "classes" in network:
        raise InputError("network: classes comes from the data, leave it out")
    weights = network.pop("weights", "imagenet")
    if not isinstance(weights, str):
        raise InputError(f"network: weights is {weights!r}, must be a string")
    if weights not in ("none", "imagenet"):
        weights = resolve_path(weights, folder)
    run = from_table(_RunTable, "run", tables["run"])
    training = LocalizerTraining(
        from_table(LocalizerConfig, "network", network),
        weights,
        from_table(OptimConfig, "optim", {**_OPTIM, **tables["optim"]}),
        from_table(Augmentation, "augmentation", {**_AUGMENTATION, **tables["augmentation"]}),
        **vars(run),
    )
    check_optim(training.optim)
    at_least("run: workers", training.workers, 0)
    at_least("run: save_every", training.save_every, 1)
    return data_config_of(tables["data"], folder), training


def settings_of(config: LocalizerTraining) -> dict[str, Any]:
    """What decides the weights of a classifier beside its data, without paths of this machine."""
    content = asdict(config)
    for key in ("device", "workers", "save_every"):
        del content[key]
    content["weights"] = Path(config.weights).name
    return content
