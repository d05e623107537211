"""``saccade experiment``: the papers' tables and figures, ours beside theirs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from saccade.cli.errors import one_line_errors
from saccade.cli.experiment_data import figure_samples, table_samples
from saccade.cli.experiment_networks import NetworkOptions, compare, network, run_figure5
from saccade.cli.experiment_options import (
    Backbone,
    Cityscapes,
    Clicks,
    Context,
    Crop,
    Data,
    Epochs,
    Features,
    Freeze,
    Image,
    Limit,
    Name,
    OldSeeds,
    Schedule,
    Scribbles,
    Seeds,
    Sets,
    Strokes,
    Subset,
    TablePreset,
    Truth,
    Voc,
    Weights,
    names_in,
    seeds_in,
    tell,
)
from saccade.cli.option_values import make_folder
from saccade.cli.options import Jobs, Output, Quiet, Seed, TrainingDevice, Verb
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.errors import InputError
from saccade.experiments.names import (
    EXPERIMENTS,
    TABLE_OF_FIGURE,
    check_options,
    experiment_named,
    unknown_experiment,
)
from saccade.files import check_readable

if TYPE_CHECKING:
    from saccade.experiments.engine.report import Report
    from saccade.experiments.engine.samples import Sample


class ExperimentGroup(TyperGroup):
    """Refuses options that the named experiment has no use for, and knows the form of old.

    For one release ``saccade experiment NAME`` still stands for ``saccade experiment KIND NAME``,
    and ``saccade experiment --list`` for ``saccade experiment list``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; errors are one line."""
        with one_line_errors():
            return super().parse_args(ctx, self._in_new_form(args))

    def _in_new_form(self, args: list[str]) -> list[str]:
        name = _name_among(args)
        if "--list" in args:
            say("note: --list is now: saccade experiment list", err=True)
            return ["list"]
        if name and args[0] not in self.commands:
            kind = EXPERIMENTS[name].kind
            say(f"note: this is now: saccade experiment {kind} {name} ...", err=True)
            args = [kind, *args]
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise unknown_experiment(args[0])
        if name:
            experiment_named(name, args[0])
            check_options(name, [arg[2:].split("=")[0] for arg in args if arg.startswith("--")])
        return args


def _name_among(args: Sequence[str]) -> str:
    """The name of the experiment; an output folder may be called like one."""
    for before, arg in zip(["", *args], args, strict=False):
        if arg in EXPERIMENTS and before not in ("-o", "--output"):
            return arg
    return ""


experiment = typer.Typer(
    cls=ExperimentGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Run a table or figure of a paper, ours beside theirs.",
)


@experiment.command("list")
def list_experiments() -> None:
    """List the experiments: name, kind, what it shows."""
    width = max(map(len, EXPERIMENTS))
    for name, one in EXPERIMENTS.items():
        say(f"{name:<{width}}  {one.kind:<7}  {one.text}")


@experiment.command(cls=Verb)
def table(
    name: Name,
    output: Output,
    data: Data = None,
    sets: Sets = "",
    voc: Voc = None,
    context: Context = None,
    scribbles: Scribbles = None,
    limit: Limit = None,
    seeds: Seeds = "0",
    jobs: Jobs = 1,
    preset: TablePreset = "paper",
    features: Features = "bundled",
    subset: Subset = "",
    clicks: Clicks = False,
    quiet: Quiet = False,
) -> None:
    """Segment single images with every row of a table of a paper.

    The images are the paper's (--voc, --context or both, with --scribbles), a part of VOC (--voc
    and --subset, with simulated strokes) or the shared sets (--data). FOLDER/rows.jsonl keeps what
    is measured: the same command goes on after an interruption, and tables with the same FOLDER
    share their measurements.
    """
    with one_line_errors():
        experiment_named(name, "table")
        if features != "bundled":
            check_readable(features)
        if clicks and not subset:
            raise InputError("--clicks is for a part of VOC, name it with --subset")
        part = ("voc-clicks" if clicks else "voc-simulated", output) if subset else None
        if part is not None:
            make_folder(output)
        samples = table_samples(data, voc, context, scribbles, names_in(sets), limit, part)
        if subset:
            samples = replace(samples, remarks=(f"the part *{subset}*", *samples.remarks))
        make_folder(output)
        from saccade.experiments.gdc.measure import count_tasks, run_table

        numbers = seeds_in(seeds)
        bar = Bar(count_tasks(name, samples.samples, numbers), quiet=quiet)
        try:
            report = run_table(
                name,
                samples,
                output,
                seeds=numbers,
                jobs=jobs,
                progress=bar.show,
                preset=preset,
                features=features,
            )
        finally:
            bar.close()
        tell(report)


@experiment.command(cls=Verb)
def figure(
    name: Name,
    output: Output,
    data: Data = None,
    image: Image = None,
    strokes: Strokes = None,
    truth: Truth = None,
    limit: Limit = None,
    seed: Seed = 0,
    seeds: OldSeeds = "",
    voc: Voc = None,
    schedule: Schedule = "auto",
    backbone: Backbone = "",
    weights: Weights = "auto",
    device: TrainingDevice = "auto",
    subset: Subset = "",
    epochs: Epochs = 0,
    crop: Crop = 0,
    freeze: Freeze = False,
    cityscapes: Cityscapes = None,
    quiet: Quiet = False,
) -> None:
    """Draw a figure of a paper, and write the numbers behind it.

    Figures of the GDC paper are drawn on photographs (--data or --image). mdc-figure5 trains a
    classifier first (--voc or --data, and the options from --schedule on). Those that set masks
    side by side are drawn from what their table has left in FOLDER, with the same options.
    """
    with one_line_errors():
        experiment_named(name, "figure")
        if seeds:
            say("note: --seeds is now --seed for figures", err=True)
            seed = seeds_in(seeds)[0]
        if name == "mdc-figure5" or name in TABLE_OF_FIGURE:
            options = NetworkOptions(
                data, voc, schedule=schedule, backbone=backbone, weights=weights, device=device,
                subset=subset, epochs=epochs, crop=crop, freeze=freeze, cityscapes=cityscapes,
            )  # fmt: skip
            if name == "mdc-figure5":
                tell(run_figure5(options, output, quiet=quiet))
            else:
                tell(compare(name, options, output, limit or 6, seed, quiet=quiet))
        else:
            samples = figure_samples(name, data, (image, strokes, truth), limit)
            if image is not None:
                from saccade.images import read_image

                for remark in read_image(image).remarks:
                    say(f"{image.name}: {remark}", err=True)
            make_folder(output)
            tell(_draw(name, samples, output, seed, quiet=quiet))


def _draw(
    name: str, samples: Sequence["Sample"], output: Path, seed: int, *, quiet: bool
) -> "Report":
    from saccade.experiments.gdc.figure10 import run_figure10
    from saccade.experiments.gdc.figure11 import run_figure11

    bar = Bar(len(samples), quiet=quiet)
    try:
        if name == "gdc-figure10":
            return run_figure10(samples[0], output, seed=seed)
        return run_figure11(samples, output, seed=seed, progress=bar.show)
    finally:
        bar.close()


experiment.command(cls=Verb)(network)
