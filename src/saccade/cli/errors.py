"""How every verb ends badly: one line on stderr and an exit code, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from saccade.cli.say import say
from saccade.errors import message_of

BAD_INPUT = 1
INTERRUPTED = 130


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what goes wrong inside into ``error: ...`` on stderr and exit code 1."""
    try:
        yield
    except Exception as error:
        if isinstance(error, typer.Exit | typer.TyperException):
            raise
        say(f"error: {message_of(error)}", err=True)
        raise typer.Exit(BAD_INPUT) from error
    except KeyboardInterrupt:
        say("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
