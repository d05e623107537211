"""How a verb ends that did a batch: what failed, one sentence on Ctrl-C, and the exit code."""

from collections.abc import Callable
from typing import Any

import typer

from saccade.batch import Outcome
from saccade.cli.errors import BAD_INPUT, INTERRUPTED
from saccade.cli.say import say


def finish(outcome: Outcome[Any, Any], name: Callable[[Any], str], *, single: bool = False) -> None:
    """Say on stderr what became of items that are not done, and exit where not all is well.

    Args:
        outcome: of the batch.
        name: of an item, for people.
        single: the user gave one file, not a folder.
    """
    if outcome.failed and single:
        say(f"error: {next(iter(outcome.failed.values()))}", err=True)
    elif outcome.failed:
        untried = 0 if outcome.interrupted else outcome.untried
        rest = f", {untried} were not tried" if untried else ""
        count = f"{len(outcome.failed)} of {len(outcome.items)}"
        say(f"error: {count} images failed{rest}", err=True)
        for item, why in outcome.failed.items():
            say(f"  {name(item)}: {why}", err=True)
    if outcome.interrupted:
        say(outcome.interruption, err=True)
        raise typer.Exit(INTERRUPTED)
    if outcome.failed:
        raise typer.Exit(BAD_INPUT)
