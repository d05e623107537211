"""What a training run is made of, read from TOML and checked before anything long begins."""

import dataclasses
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from saccade.data.sets import LAYOUTS
from saccade.data.tables import from_table
from saccade.data.transforms import Augmentation
from saccade.errors import InputError
from saccade.files import check_readable, reading
from saccade.images import Reading
from saccade.images.intensities import checked_window
from saccade.images.network_input import NetworkReading, network_reading
from saccade.models.segmentation import SegmentationConfig, config_from_dict
from saccade.training.optim_config import OptimConfig, at_least, check_optim, optim_of
from saccade.training.segmentation_losses import LossConfig
from saccade.training.supervision import SupervisionConfig

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]


@dataclass(frozen=True)
class DataConfig:
    """Where the examples are.

    Attributes:
        layout: of `saccade.data.sets.LAYOUTS`.
        root: its folder.
        train: the split that is trained on.
        val: the split that is evaluated; "" for none.
        every: take every so many-th example only, for quick runs.
        intensities: values of the images that become black and white; () what each file says, or
            the rule of `saccade.images.window`; "measured" the 0.1 and 99.9 percentiles of each
            channel in the training images, see `saccade.images.network_input`.
        channels: those that the network sees, by number from 1 or by name; () red, green and blue
            of pictures, and all of images whose channels are no colors.
    """

    layout: str
    root: str
    train: str = "train"
    val: str = "val"
    every: int = 1
    intensities: tuple[float, ...] | Literal["measured"] = ()
    channels: tuple[str, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether black and white are measured on the training images."""
        return self.intensities == "measured"

    @property
    def window(self) -> tuple[float, float] | None:
        """The values that become black and white, where they are given.

        Raises:
            InputError: they are none.
        """
        if isinstance(self.intensities, str) or not self.intensities:
            return None
        if len(self.intensities) != 2:
            given = list(self.intensities)
            raise InputError(f'data: intensities is {given}, must be [low, high] or "measured"')
        try:
            return checked_window(self.intensities)
        except InputError as error:
            raise InputError(f"data: intensities: {error}") from error

    @property
    def colors(self) -> Reading:
        """How images are read for a network that takes colors alone.

        Raises:
            InputError: intensities that are none or measured, or another number of channels.
        """
        if self.measured or len(self.channels) not in (0, 1, 3):
            what = '"measured" intensities' if self.measured else f"{len(self.channels)} channels"
            raise InputError(f"data: {what}, but this network takes colors, of one or three")
        return Reading(self.channels or None, self.window)

    def reading_of(self, images: Sequence[Path]) -> NetworkReading:
        """How images are read for a network of as many channels as they have.

        Raises:
            InputError: of the first one, see `network_reading`.
        """
        return network_reading(
            images, channels=self.channels, window=self.window, measured=self.measured
        )


@dataclass(frozen=True)
class RunConfig:
    """How it is run.

    Attributes:
        seed: of weights, order, augmentation and dropout.
        device: "auto", "cpu" or "cuda".
        precision: "32-true", "16-mixed" or "bf16-mixed".
        workers: processes that read images, per process that trains.
        sync_norm: batch normalisation over all processes; on GPUs only, CPUs have none.
        validate_every: epochs between evaluations.
        save_every: steps between saved states, beside those at the end of each epoch.
        deterministic: ask PyTorch for deterministic algorithms.
        pictures: validation images in the log, half the worst predictions and half the best.
    """

    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "32-true"
    workers: int = 0
    sync_norm: bool = True
    validate_every: int = 1
    save_every: int = 500
    deterministic: bool = False
    pictures: int = 4


@dataclass(frozen=True)
class TrainConfig:
    """A training run.

    Attributes:
        data: where the examples are.
        network: what is trained; the number of classes comes from the data.
        weights: of the backbone: "imagenet", a file, or "none".
        start: a checkpoint of Saccade whose weights all layers start from, its classes matched to
            those of the data by name; "" for none.
        optim: optimizer, schedule and loss.
        augmentation: of the training images.
        run: how it is run.
        supervision: what stands in for full masks.
        loss: what is minimized.
    """

    data: DataConfig
    network: SegmentationConfig
    weights: str = "none"
    start: str = ""
    optim: OptimConfig = field(default_factory=OptimConfig)
    augmentation: Augmentation = field(default_factory=Augmentation)
    run: RunConfig = field(default_factory=RunConfig)
    supervision: SupervisionConfig = field(default_factory=SupervisionConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def read_config(path: Path, *, data: DataConfig | None = None) -> TrainConfig:
    """Read a TOML file with the tables of `config_of`.

    Relative paths in `data.root`, `network.weights`, `network.start` and of supervision start at
    the folder of the file.

    Args:
        path: of the file.
        data: where the data is known from elsewhere; the file has no table data then, and none
            of supervision.

    Raises:
        InputError: the file is missing or no TOML, or a key or value is wrong; it names both.
    """
    content = read_toml(path)
    try:
        if data is not None:
            decided = sorted({"data", "supervision"} & set(content))
            if decided:
                raise InputError(f"[{decided[0]}] is decided by the command line, leave it out")
            content["data"] = dataclasses.asdict(data)
        with reading("its values", "they cannot be used"):
            return config_of(content, path.parent)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        InputError: the file is missing or no TOML.
    """
    try:
        return tomllib.loads(check_readable(path).read_text("utf-8"))
    except InputError:
        raise
    except (ValueError, RecursionError, IndexError) as error:  # numbers and dates as well
        raise InputError(f"{path}: no TOML ({error})") from error


def config_of(content: dict[str, Any], folder: Path) -> TrainConfig:
    """The configuration from the tables of a TOML file in `folder`.

    They are data, network, optim, loss, augmentation, supervision and run.

    Raises:
        InputError: an unknown table or key, or a wrong value.
    """
    tables = {"data", "network", "optim", "loss", "augmentation", "supervision", "run"}
    unknown = sorted(set(content) - tables)
    if unknown:
        raise InputError(f"[{unknown[0]}] is no table; there are {', '.join(sorted(tables))}")
    network = dict(content.get("network", {}))
    weights, start = network.pop("weights", "none"), network.pop("start", "")
    for name, value in (("weights", weights), ("start", start)):
        if not isinstance(value, str):
            raise InputError(f"network: {name} is {value!r}, must be a string")
    for name in ("classes", "in_channels"):
        if name in network:
            raise InputError(f"network: {name} comes from the data, leave it out")
    given = [network[n] for n in ("mean", "std") if isinstance(network.get(n), list)]
    weak = from_table(SupervisionConfig, "supervision", content.get("supervision", {}))
    weak = dataclasses.replace(
        weak,
        **{n: resolve_path(getattr(weak, n), folder) for n in ("masks", "strong_list", "labels")},
    )
    if weights not in ("none", "imagenet"):
        weights = resolve_path(weights, folder)
    config = TrainConfig(
        data_config_of(content.get("data", {}), folder),
        config_from_dict({**network, "classes": 2, "in_channels": len(given[0]) if given else 3}),
        weights,
        resolve_path(start, folder),
        optim_of(content.get("optim", {})),
        from_table(Augmentation, "augmentation", content.get("augmentation", {})),
        from_table(RunConfig, "run", content.get("run", {})),
        weak,
        from_table(LossConfig, "loss", content.get("loss", {})),
    )
    check_values(config)
    return config


def data_config_of(table: dict[str, Any], folder: Path) -> DataConfig:
    """Where the examples are, from a table data in a file of `folder`.

    Raises:
        InputError: an unknown or missing key, an unknown layout, or a wrong value.
    """
    data: DataConfig = from_table(DataConfig, "data", table)
    if data.layout not in LAYOUTS:
        raise InputError(f"data: layout is {data.layout!r}, must be one of {', '.join(LAYOUTS)}")
    at_least("data: every", data.every, 1)
    _ = data.window
    root = str((folder / Path(data.root).expanduser()).resolve())
    return dataclasses.replace(data, root=root)


def resolve_path(path: str, folder: Path) -> str:
    """A path that starts at `folder`, made absolute; "" stays."""
    return str((folder / Path(path).expanduser()).resolve()) if path else ""


def check_values(config: TrainConfig) -> None:
    """Raise InputError for numbers that no run can have."""
    check_optim(config.optim)
    run = config.run
    if config.supervision.online and config.loss != LossConfig():
        raise InputError("loss: supervision.online learns by cross entropy alone, leave [loss] out")
    if config.optim.patience and not config.data.val:
        raise InputError("optim: patience counts evaluations, but data: val is empty")
    at_least("data: every", config.data.every, 1)
    at_least("run: workers", run.workers, 0)
    at_least("run: validate_every", run.validate_every, 1)
    at_least("run: save_every", run.save_every, 1)
    at_least("run: pictures", run.pictures, 0)
