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
    from saccade.experiments.network_tables import NetworkTable
    from saccade.experiments.run_networks import NetworkPlan

SHARED_WEIGHTS = "mobilenetv2_imagenet_int8.npz"


@dataclass(frozen=True)
class WantedNetworks:
    """Options of the command line, "auto" or "" where nothing was said."""

    schedule: str
    backbone: str
    weights: str
    device: str
    jobs: int = 1
    saliency: Path | None = None
    scribbles: Path | None = None
    rows: tuple[str, ...] = ()


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
        roots: the shared data, VOC 2012, Cityscapes, PASCAL-Context; None where not given.
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
    if name == "mdc-figure5":
        if wanted.rows:
            raise InputError("--rows: mdc-figure5 has no rows that are trained apart")
        make_folder(output)
        _run_figure5(plan, output, quiet=quiet)
        return
    bar = Bar(count_runs(name, seeds, wanted.rows), quiet=quiet)
    make_folder(output)
    bar.note(
        f"{plan.data.layout}, schedule {plan.schedule}, weights {Path(plan.weights).name}, "
        f"on {plan.device}"
    )
    try:
        done = run_networks(name, plan, output, seeds=seeds, progress=bar.show, only=wanted.rows)
    finally:
        bar.close()
    typer.echo(done.text)
    typer.echo(f"written: {', '.join(map(str, done.files))}")
    if done.interrupted:
        typer.echo("interrupted: what is trained is kept, the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED)


def _run_figure5(plan: "NetworkPlan", output: Path, *, quiet: bool) -> None:
    from saccade.experiments.mdc_figure5 import run_figure5

    bar = Bar(1, quiet=quiet)
    try:
        text, files = run_figure5(plan, output, progress=bar.show)
    finally:
        bar.close()
    typer.echo(text)
    typer.echo(f"written: {', '.join(map(str, files))}")


def network_plan(name: str, roots: Sequence[Path | None], wanted: WantedNetworks) -> "NetworkPlan":
    """Where and how the networks of a table are trained.

    Raises:
        InputError: no data for this table, or an unknown schedule.
    """
    from saccade.experiments.network_tables import SCHEDULES
    from saccade.experiments.pascal import strokes_folder
    from saccade.experiments.run_networks import NetworkPlan, table_named
    from saccade.training.config import DataConfig

    if wanted.schedule not in ("auto", "paper", *SCHEDULES):
        raise InputError(
            f"--schedule is {wanted.schedule!r}, expected auto, paper, {', '.join(SCHEDULES)}"
        )
    # The figure's classifier is that of table 1.
    table = table_named("mdc-table1" if name == "mdc-figure5" else name)
    device = device_of(wanted.device)
    shared, voc, cityscapes, context = roots
    papers = {"cityscapes": cityscapes, "context59": context}.get(table.layout, voc)
    backbone = wanted.backbone or table.backbone
    if papers is not None:
        data, schedule, weights = DataConfig(table.layout, str(papers)), "paper", "imagenet"
    elif shared is not None:
        data = DataConfig("camvid", str(shared / "camvid"))
        schedule = "full" if device == "cuda" else "reduced"
        reference = shared / SHARED_WEIGHTS
        if table.stand_in and not wanted.backbone:
            backbone = "mobilenet_v2"  # whose weights are there
        fits = backbone == "mobilenet_v2" and reference.is_file()
        weights = str(reference) if fits else "none"
    else:
        options = {"cityscapes": "--cityscapes", "context59": "--context"}
        option = options.get(table.layout, "--voc")
        raise InputError(f"{name} needs {option}, or --data with camvid/ in it")
    if wanted.schedule != "auto":
        schedule = wanted.schedule
    if wanted.weights != "auto":
        weights = wanted.weights
    if papers is not None and name.startswith("gdc") and table.stand_in and not wanted.scribbles:
        raise InputError(f"{name} needs --scribbles, the folder of ScribbleSup's strokes")
    scribbles = None
    if papers is not None and wanted.scribbles is not None and _needs_strokes(table):
        part = "context" if table.layout.startswith("context") else "voc"
        scribbles = strokes_folder(wanted.scribbles, part)
    return NetworkPlan(
        data,
        schedule,
        "" if backbone == table.backbone else backbone,
        weights,
        device,
        processes=wanted.jobs,
        scribbles=scribbles,
        saliency=wanted.saliency,
    )


def _needs_strokes(table: "NetworkTable") -> bool:
    return any(row.labels in ("strokes", "pseudo-strokes") for row in table.rows.values())
