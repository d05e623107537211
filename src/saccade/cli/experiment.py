"""``saccade experiment``: a table or figure of a paper, ours beside theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saccade.cli.errors import BAD_INPUT, INTERRUPTED, one_line_errors
from saccade.cli.experiment_networks import WantedNetworks, run_network_table
from saccade.cli.networks import make_folder
from saccade.cli.progress import Bar
from saccade.errors import InputError
from saccade.experiments.names import EXPERIMENTS, FIGURES, NETWORKS, WEAK, check_name

if TYPE_CHECKING:
    from saccade.experiments.samples import Plan


@dataclass(frozen=True)
class Sources:
    """Where the data is, as told on the command line."""

    data: Path | None
    voc: Path | None
    context: Path | None
    scribbles: Path | None
    sets: tuple[str, ...]
    limit: int | None


def _print_list(wanted: bool) -> None:
    if wanted:
        width = max(map(len, EXPERIMENTS))
        for name, text in EXPERIMENTS.items():
            typer.echo(f"{name:<{width}}  {text}")
        raise typer.Exit


def _seeds(text: str) -> str:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts) or len(set(parts)) < len(parts):
        raise typer.BadParameter(f"'{text}' is no list of different whole numbers like 0,1,2.")
    return text


def experiment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See --list.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with the shared sets, iseg/ and camvid/.")
    ] = None,
    voc: Annotated[
        Path | None, typer.Option(help="VOCdevkit/VOC2012, for tables on the paper's data.")
    ] = None,
    context: Annotated[
        Path | None, typer.Option(help="PASCAL-Context, VOCdevkit/VOC2010 with its labels.")
    ] = None,
    scribbles: Annotated[
        Path | None, typer.Option(help="ScribbleSup's strokes, for --voc and --context.")
    ] = None,
    sets: Annotated[
        str, typer.Option(metavar="NAMES", help="Of the shared sets: thin, full, dense, camvid.")
    ] = "thin,camvid",
    image: Annotated[
        Path | None, typer.Option(help="For figures: this photograph instead of a set.")
    ] = None,
    strokes: Annotated[Path | None, typer.Option(help="Its strokes, 255 = unlabelled.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Its mask, 255 = unknown.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most this many images of each set.")
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="N,N,...", callback=_seeds, help="Seeds of the draws.")
    ] = "0",
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes, for tables and for making labels.")
    ] = 1,
    cityscapes: Annotated[
        Path | None, typer.Option(help="Cityscapes, for gdc-table6 on the paper's data.")
    ] = None,
    schedule: Annotated[
        str,
        typer.Option(
            metavar="auto|paper|full|reduced|smoke",
            help="For networks; auto: the paper's on its data, else full with CUDA, else reduced.",
        ),
    ] = "auto",
    backbone: Annotated[str, typer.Option(help="For networks; the paper's if not given.")] = "",
    weights: Annotated[
        str, typer.Option(metavar="imagenet|none|FILE", help="Of the backbone; default auto.")
    ] = "auto",
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda", help="For networks.")] = "auto",
    saliency: Annotated[
        Path | None, typer.Option(help="Saliency maps, NAME.png, for mdc-... on --voc.")
    ] = None,
    rows: Annotated[
        str, typer.Option(metavar="NAME,...", help="Of a table of networks, train these rows only.")
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    list_them: Annotated[
        bool,
        typer.Option("--list", callback=_print_list, is_eager=True, help="List the experiments."),
    ] = False,
) -> None:
    """Run a table or figure of a paper and print ours beside theirs.

    Tables take the paper's data where --voc or --context and --scribbles are given, else the
    shared sets of --data. OUTPUT/rows.jsonl keeps what is measured: the same command goes on
    after an interruption, and tables that share an OUTPUT share their measurements. Tables of
    networks train on --voc or --cityscapes, else on CamVid below --data; OUTPUT/runs keeps them.
    """
    given = tuple(int(seed) for seed in seeds.split(","))
    names = tuple(part.strip() for part in sets.split(",") if part.strip())
    sources = Sources(data, voc, context, scribbles, names, limit)
    with one_line_errors():
        check_name(name)
        if name in NETWORKS or name in WEAK:
            only = tuple(part.strip() for part in rows.split(",") if part.strip())
            wanted = WantedNetworks(
                schedule, backbone, weights, device, jobs, saliency, scribbles, only
            )
            roots = (data, voc, cityscapes, context)
            run_network_table(name, roots, wanted, output, given, quiet=quiet)
        elif rows:
            raise InputError(f"--rows is for tables of networks, {name} is none")
        elif name in FIGURES:
            plan = _figure_plan(name, (image, strokes, truth), sources)
            make_folder(output)
            _run_figure(name, plan, output, given[0], quiet=quiet)
        else:
            plan = _table_plan(sources)
            make_folder(output)
            _run_table(name, plan, output, given, jobs=jobs, quiet=quiet)


def _table_plan(sources: Sources) -> "Plan":
    """What to measure on; raises InputError for all that is missing."""
    from saccade.experiments.pascal import context_samples, voc_samples
    from saccade.experiments.samples import Plan, shared_samples, thinned

    plans = []
    for root, samples, option in (
        (sources.voc, voc_samples, "--voc"),
        (sources.context, context_samples, "--context"),
    ):
        if root is None:
            continue
        if sources.scribbles is None:
            raise InputError(f"{option} needs --scribbles, the folder of ScribbleSup's strokes")
        plans.append(samples(root, sources.scribbles))
    if not plans:
        if sources.data is None:
            raise InputError("no data: give --data, or --voc or --context with --scribbles")
        plans.append(shared_samples(sources.data, sources.sets))
    everything = [sample for plan in plans for sample in plan.samples]
    remarks = tuple(remark for plan in plans for remark in plan.remarks)
    return Plan(thinned(everything, sources.limit), remarks)


def _figure_plan(name: str, files: Sequence[Path | None], sources: Sources) -> "Plan":
    from saccade.experiments.samples import Plan, Sample, shared_samples, thinned

    for module, package in (("matplotlib", "matplotlib"), ("sklearn", "scikit-learn")):
        if find_spec(module) is None:
            raise InputError(
                f"{package} is not installed; pip install 'saccade[experiments]' brings it"
            )
    if files[0] is not None:
        needed = files if name == "gdc-figure11" else files[:1]
        if None in needed:
            raise InputError(f"{name} needs --strokes and --truth beside --image")
        for path in needed:
            if path is not None and not path.is_file():
                raise InputError(f"{path}: no such file")
        photo, drawn, mask = (path or files[0] for path in files)
        return Plan((Sample("thin", photo.stem, photo, drawn, mask),))
    if sources.data is None:
        raise InputError(f"{name} needs --data, or --image with --strokes and --truth")
    return Plan(thinned(shared_samples(sources.data, ("thin",)).samples, sources.limit))


def _run_table(
    name: str, plan: "Plan", folder: Path, seeds: Sequence[int], *, jobs: int, quiet: bool
) -> None:
    from saccade.experiments.run_table import count_tasks, run_table

    bar = Bar(count_tasks(name, plan, seeds), quiet=quiet)
    try:
        done = run_table(name, plan, folder, seeds=seeds, jobs=jobs, progress=bar.show)
    finally:
        bar.close()
    typer.echo(done.text)
    typer.echo(f"written: {', '.join(map(str, done.files))}")
    for (_, stem), message in done.failed.items():
        typer.echo(f"{stem}: {message}", err=True)
    if done.interrupted:
        typer.echo("interrupted: what is measured is kept, the same command goes on", err=True)
        raise typer.Exit(INTERRUPTED)
    if done.failed:
        raise typer.Exit(BAD_INPUT)


def _run_figure(name: str, plan: "Plan", folder: Path, seed: int, *, quiet: bool) -> None:
    bar = Bar(len(plan.samples), quiet=quiet)
    try:
        if name == "gdc-figure10":
            from saccade.experiments.gdc_figure10 import draw_figure10
            from saccade.images import load_image

            paths = draw_figure10(load_image(plan.samples[0].image), folder, seed=seed)
        else:
            from saccade.experiments.gdc_figure11 import run_figure11

            text, paths = run_figure11(plan.samples, folder, seed=seed, progress=bar.show)
            typer.echo(text)
    finally:
        bar.close()
    typer.echo(f"written: {', '.join(map(str, paths))}")
