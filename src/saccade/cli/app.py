"""The program ``saccade``: its verbs and its global options.

Importing this imports neither NumPy nor PyTorch, so that help and usage errors come at once.
"""

from typing import Annotated

import typer

from saccade import __version__
from saccade.cli.check_data import check_data
from saccade.cli.evaluate import evaluate
from saccade.cli.experiment import experiment
from saccade.cli.export import export
from saccade.cli.fit import fit
from saccade.cli.info import info
from saccade.cli.init import init
from saccade.cli.label import label
from saccade.cli.localize import localize
from saccade.cli.options import Verb
from saccade.cli.predict import predict
from saccade.cli.pseudo_label import pseudo_label
from saccade.cli.say import say
from saccade.cli.segment import segment
from saccade.cli.serve import serve
from saccade.cli.train import train

app = typer.Typer(
    name="saccade",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"saccade {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def saccade(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Segments images from a few strokes."""
    if context.invoked_subcommand is None:
        say(context.get_help())


app.command(cls=Verb, no_args_is_help=False)(segment)
app.command(cls=Verb, no_args_is_help=False)(fit)
app.command(cls=Verb, no_args_is_help=False)(info)
app.command(cls=Verb, no_args_is_help=False)(serve)
app.command("check-data", cls=Verb, no_args_is_help=False)(check_data)
app.command(cls=Verb, no_args_is_help=False)(label)
app.command("pseudo-label", cls=Verb, no_args_is_help=False)(pseudo_label)
app.command(cls=Verb, no_args_is_help=False)(localize)
app.command(cls=Verb, no_args_is_help=False)(init)
app.command(cls=Verb, no_args_is_help=False)(train)
app.command(cls=Verb, no_args_is_help=False)(evaluate)
app.command(cls=Verb, no_args_is_help=False)(predict)
app.command(cls=Verb, no_args_is_help=False)(export)
app.add_typer(experiment, name="experiment")
