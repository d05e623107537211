"""How every verb prints a line, whatever bytes the names of files have."""

import typer

from saccade.errors import printable


def say(text: object, *, err: bool = False) -> None:
    """Print a line to stdout, or to stderr with `err`; bytes that are no UTF-8 are escaped."""
    typer.echo(printable(text), err=err)
