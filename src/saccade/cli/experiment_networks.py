"""The part of ``saccade experiment`` that trains networks: which data, weights and schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from saccade.cli.errors import INTERRUPTED
from saccade.cli.networks import device_of, make_folder, require_packages
from saccade.cli.progress import Bar
from saccade.errors import InputError

if TYPE_CHECKING:
    from saccade.experiments.run_networks import NetworkPlan

SHARED_WEIGHTS = "mobilenetv2_imagenet_int8.npz"


@dataclass(frozen=True)
class WantedNetworks:
    """Options of the command line, "auto" or "" where nothing was said."""

    schedule: str
    backbone: str
    weights: str
    device: str


def run_network_table(
    name: str,
    roots: Sequence[Path | None],
    wanted: WantedNetworks,
    output: Path,
    seeds: Sequence[int],
    *,
    quiet: bool,
) -> None:
    """Train the networks of a table and print it.

    Args:
        name: of the table.
        roots: the shared data, VOC 2012, Cityscapes; None where not given.
        wanted: options.
        output: folder for the report and the runs.
        seeds: of the runs.
        quiet: no progress bar.

    Raises:
        InputError: data that is missing, or options that do not exist.
    """
    require_packages("torchvision", "lightning")
    from saccade.experiments.run_networks import count_runs, run_networks

    plan = network_plan(name, roots, wanted)
    make_folder(output)
    bar = Bar(count_runs(name, seeds), quiet=quiet)
    bar.note(
        f"{plan.data.layout}, schedule {plan.schedule}, weights {Path(plan.weights).name}, "
        f"on {plan.device}"
    )
    try:
        done = run_networks(name, plan, output, seeds=seeds, progress=bar.show)
    finally:
        bar.close()
    typer.echo(done.text)
    typer.echo(f"written: {', '.join(map(str, done.files))}")
    if done.interrupted:
        typer.echo("interrupted: what is trained is kept, the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED)


def network_plan(name: str, roots: Sequence[Path | None], wanted: WantedNetworks) -> "NetworkPlan":
    """Where and how the networks of a table are trained.

    Raises:
        InputError: no data for this table, or an unknown schedule.
    """
    from saccade.experiments.network_tables import NETWORK_TABLES, SCHEDULES
    from saccade.experiments.run_networks import NetworkPlan
    from saccade.training.config import DataConfig

    if wanted.schedule not in ("auto", "paper", *SCHEDULES):
        raise InputError(
            f"--schedule is {wanted.schedule!r}, expected auto, paper, {', '.join(SCHEDULES)}"
        )
    table, device = NETWORK_TABLES[name], device_of(wanted.device)
    shared, voc, cityscapes = roots
    papers = cityscapes if table.layout == "cityscapes" else voc
    backbone = wanted.backbone or table.backbone
    if papers is not None:
        data, schedule, weights = DataConfig(table.layout, str(papers)), "paper", "imagenet"
    elif shared is not None:
        data = DataConfig("camvid", str(shared / "camvid"))
        schedule = "full" if device == "cuda" else "reduced"
        reference = shared / SHARED_WEIGHTS
        fits = backbone == "mobilenet_v2" and reference.is_file()
        weights = str(reference) if fits else "none"
    else:
        option = "--cityscapes" if table.layout == "cityscapes" else "--voc"
        raise InputError(f"{name} needs {option}, or --data with camvid/ in it")
    if wanted.schedule != "auto":
        schedule = wanted.schedule
    if wanted.weights != "auto":
        weights = wanted.weights
    return NetworkPlan(data, schedule, wanted.backbone, weights, device)
