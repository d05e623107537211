"""A progress bar on stderr that shows up only where somebody waits for it."""

import sys
import time
from typing import TYPE_CHECKING

from saccade.cli.say import say
from saccade.errors import printable

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0
"""Seconds of work before a bar appears."""


class Bar:
    """A bar over `total` images that moves with the stages of each; also prints lines above it.

    Nothing is drawn where stderr is no terminal, where `quiet`, or in the first two seconds (or
    other seconds of `patience`).
    """

    def __init__(self, total: int, *, quiet: bool = False, patience: float | None = None) -> None:
        self._total = total
        self._started = time.monotonic()
        self._wanted = not quiet and sys.stderr.isatty()
        self._quiet = quiet
        self._patience = patience
        self._progress: Progress | None = None

    def show(self, done: float, text: str) -> None:
        """Move the bar to `done` of `total` images and say what is being worked on."""
        text = printable(text)
        if self._progress is None:
            patience = PATIENCE if self._patience is None else self._patience
            if not self._wanted or time.monotonic() - self._started < patience:
                return
            self._progress = _new_progress()
            self._progress.add_task(text, total=self._total)
            self._progress.start()
        task = self._progress.tasks[0]
        if done < task.completed:  # another stage begins: its time left is no longer none
            self._progress.reset(task.id)
        self._progress.update(task.id, completed=done, description=text)

    def note(self, text: str) -> None:
        """Print a line to stderr, above the bar where there is one."""
        if self._quiet:
            return
        if self._progress is None:
            say(text, err=True)
        else:
            self._progress.console.print(
                printable(text), markup=False, highlight=False, soft_wrap=True
            )

    def warn(self, text: str) -> None:
        """Print a line that must not be missed, also where `quiet`."""
        quiet, self._quiet = self._quiet, False
        self.note(text)
        self._quiet = quiet

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _new_progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,  # what is printed there may go to a file
        redirect_stderr=False,
    )
