"""``saccade experiment network``: tables of trained networks; which data, weights and schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saccade.cli.errors import one_line_errors
from saccade.cli.experiment_options import (
    Ade20k,
    Backbone,
    Cityscapes,
    Context,
    Crop,
    Curve,
    Data,
    Epochs,
    Freeze,
    Name,
    Rows,
    Saliency,
    Schedule,
    Scribbles,
    Seeds,
    Subset,
    Voc,
    Weights,
    names_in,
    seeds_in,
    tell,
)
from saccade.cli.option_values import make_folder, require_packages, training_device_of
from saccade.cli.options import Jobs, Output, Quiet, TrainingDevice
from saccade.cli.progress import Bar
from saccade.errors import InputError
from saccade.experiments.names import TABLE_OF_FIGURE, experiment_named
from saccade.files import check_readable

if TYPE_CHECKING:
    from saccade.experiments.engine.network_config import NetworkPlan
    from saccade.experiments.engine.network_tables import NetworkTable
    from saccade.experiments.engine.report import Report

_OPTIONS = {
    "cityscapes": "cityscapes",
    "context59": "context",
    "context60": "context",
    "ade20k": "ade20k",
}
"""Layout -> the option that names its folder; others are of --voc."""

SHARED_WEIGHTS = "mobilenetv2_imagenet_int8.npz"


@dataclass(frozen=True)
class NetworkOptions:
    """Options of the command line; None, "" or "auto" where they are not given."""

    data: Path | None = None
    voc: Path | None = None
    context: Path | None = None
    cityscapes: Path | None = None
    scribbles: Path | None = None
    saliency: Path | None = None
    schedule: str = "auto"
    backbone: str = ""
    weights: str = "auto"
    device: str = "auto"
    jobs: int = 1
    ade20k: Path | None = None
    subset: str = ""
    epochs: int = 0
    curve: int = 0
    crop: int = 0
    freeze: bool = False


def network(
    name: Name,
    output: Output,
    data: Data = None,
    voc: Voc = None,
    context: Context = None,
    cityscapes: Cityscapes = None,
    scribbles: Scribbles = None,
    saliency: Saliency = None,
    schedule: Schedule = "auto",
    backbone: Backbone = "",
    weights: Weights = "auto",
    device: TrainingDevice = "auto",
    rows: Rows = "",
    seeds: Seeds = "0",
    jobs: Jobs = 1,
    ade20k: Ade20k = None,
    subset: Subset = "",
    epochs: Epochs = 0,
    curve: Curve = 0,
    crop: Crop = 0,
    freeze: Freeze = False,
    quiet: Quiet = False,
) -> None:
    """Train the networks of a table of a paper, and evaluate them.

    They train on the paper's data (--voc, --context, --cityscapes or --ade20k), on a part of it
    (--subset), or on CamVid below --data.
    FOLDER/runs keeps each network and its result: the same command goes on after an interruption.
    """
    options = NetworkOptions(
        data, voc, context, cityscapes, scribbles, saliency, schedule, backbone, weights, device,
        jobs, ade20k, subset, epochs, curve, crop, freeze,
    )  # fmt: skip
    with one_line_errors():
        experiment_named(name, "network")
        tell(_train(name, options, output, names_in(rows), seeds_in(seeds), quiet=quiet))


def _train(
    name: str,
    options: NetworkOptions,
    output: Path,
    rows: Sequence[str],
    seeds: Sequence[int],
    *,
    quiet: bool,
) -> "Report":
    require_packages("torchvision", "lightning")
    from saccade.experiments.engine.run_networks import count_runs, run_networks
    from saccade.experiments.networks import LABEL_SOURCES, NETWORK_TABLES

    plan, table = network_plan(name, options), NETWORK_TABLES[name]
    bar = Bar(count_runs(table, seeds, rows, plan), quiet=quiet)
    make_folder(output)
    bar.note(
        f"{plan.data.layout} ({plan.data.train}), schedule {plan.schedule}, "
        f"weights {Path(plan.weights).name}, on {plan.device}"
    )
    try:
        return run_networks(
            table, plan, output, seeds=seeds, progress=bar.show, sources=LABEL_SOURCES, only=rows
        )
    finally:
        bar.close()


def run_figure5(options: NetworkOptions, output: Path, *, quiet: bool) -> "Report":
    """Train the classifier of the MDC paper's figure 5 and draw it.

    Raises:
        InputError: as `network_plan`, or a classifier with other settings is in the folder.
    """
    require_packages("torchvision", "lightning")
    from saccade.experiments.mdc.figure5 import run_figure5 as run

    plan = network_plan("mdc-figure5", options)
    make_folder(output)
    bar = Bar(1, quiet=quiet)
    try:
        return run(plan, output, progress=bar.show)
    finally:
        bar.close()


def compare(
    name: str, options: NetworkOptions, output: Path, limit: int, seed: int, *, quiet: bool
) -> "Report":
    """Draw a figure of masks side by side from what its table left in the folder.

    Raises:
        InputError: as `network_plan`, or the table has not been run there.
    """
    require_packages("torchvision", "lightning")
    from saccade.experiments.comparisons import COMPARISONS
    from saccade.experiments.engine.comparison import run_comparison
    from saccade.experiments.networks import NETWORK_TABLES

    plan, table = network_plan(name, options), NETWORK_TABLES[TABLE_OF_FIGURE[name]]
    bar = Bar(1, quiet=quiet)
    figure = COMPARISONS[name]
    try:
        return run_comparison(
            figure, table, plan, output, progress=bar.show, limit=limit, seed=seed
        )
    finally:
        bar.close()


def network_plan(name: str, options: NetworkOptions) -> "NetworkPlan":
    """Where and how the networks of an experiment are trained.

    Raises:
        InputError: no data for it, an unknown schedule, or options that do not go together.
    """
    from saccade.experiments.engine.network_config import NetworkPlan
    from saccade.experiments.engine.network_tables import SCHEDULES
    from saccade.experiments.networks import NETWORK_TABLES
    from saccade.training.config import DataConfig

    if options.schedule not in ("auto", "paper", *SCHEDULES):
        raise InputError(
            f"--schedule is {options.schedule!r}, expected auto, paper, {', '.join(SCHEDULES)}"
        )
    if options.weights not in ("auto", "imagenet", "none"):
        check_readable(options.weights)
    # The classifier of MDC's figure 5 is that of table 1.
    table = NETWORK_TABLES[{"mdc-figure5": "mdc-table1", **TABLE_OF_FIGURE}.get(name, name)]
    device = training_device_of(options.device)
    option = _OPTIONS.get(table.layout, "voc")
    papers = getattr(options, option)
    backbone = options.backbone or table.backbone
    _check_data(name, option, options, table)
    if papers is not None and options.subset:
        # A part is what its lists train and val say.
        layout = "voc" if option == "voc" else table.layout
        data, weights = DataConfig(layout, str(papers)), "imagenet"
        schedule = "full" if device == "cuda" else "reduced"
    elif papers is not None:
        data = DataConfig(table.layout, str(papers), table.train)
        schedule, weights = "paper", "imagenet"
    else:
        assert options.data is not None
        data = DataConfig("camvid", str(options.data / "camvid"))
        schedule = "full" if device == "cuda" else "reduced"
        reference = options.data / SHARED_WEIGHTS
        if table.stand_in and not options.backbone:
            backbone = "mobilenet_v2"  # whose weights are there
        fits = backbone == "mobilenet_v2" and reference.is_file()
        weights = str(reference) if fits else "none"
    return NetworkPlan(
        data,
        schedule if options.schedule == "auto" else options.schedule,
        "" if backbone == table.backbone else backbone,
        weights if options.weights == "auto" else options.weights,
        device,
        processes=options.jobs,
        scribbles=_strokes_folder(table, options.scribbles),
        saliency=options.saliency,
        subset=options.subset,
        epochs=options.epochs,
        curve=options.curve,
        crop=options.crop,
        freeze=options.freeze,
    )


def _check_data(name: str, option: str, options: NetworkOptions, table: "NetworkTable") -> None:
    """Raise InputError where data is missing, or two kinds of data are given."""
    papers = getattr(options, option)
    if papers is None and options.data is None:
        raise InputError(f"{name} needs --{option}, or --data with camvid/ in it")
    if papers is not None and options.data is not None:
        raise InputError(f"give --data or --{option}, not both")
    if papers is None:
        for other in ("scribbles", "saliency", "subset"):
            if getattr(options, other):
                raise InputError(f"--{other} goes with --{option}, CamVid has no use for it")
    elif name in ("gdc-table2", "gdc-table3") and options.scribbles is None and not options.subset:
        raise InputError(f"{name} needs --scribbles, the folder of ScribbleSup's strokes")


def _strokes_folder(table: "NetworkTable", scribbles: Path | None) -> Path | None:
    from saccade.experiments.engine.samples import strokes_folder

    if scribbles is None:
        return None
    return strokes_folder(scribbles, "context" if table.layout.startswith("context") else "voc")
