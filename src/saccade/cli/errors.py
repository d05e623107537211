"""How every verb ends badly: one line on stderr and an exit code, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from saccade.errors import InputError

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
        typer.echo(f"error: {message_of(error)}", err=True)
        raise typer.Exit(BAD_INPUT) from error
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None


def message_of(error: Exception) -> str:
    """Return what to tell the user on one line.

    The message of an `InputError` stands as it is; of a failed system call the path and the
    reason; whatever else is a bug or a full memory, and its type helps whoever reads a report.
    """
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {text}"
