"""Long work on one file after the other, of which finished parts are kept whatever happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from saccade.cli.errors import BAD_INPUT, INTERRUPTED
from saccade.cli.pairs import Pair
from saccade.cli.progress import Bar
from saccade.cli.say import say
from saccade.errors import InputError
from saccade.files import digest_of

PARTS = "parts"
"""Folder of what is finished of files that are not."""


@dataclass(frozen=True)
class End:
    """How a program ends that has done some files one by one.

    Attributes:
        code: its exit code; 0 where all is well.
        lines: what failed, or that somebody pressed Ctrl-C.
    """

    code: int = 0
    lines: tuple[str, ...] = ()

    @property
    def interrupted(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return self.code == INTERRUPTED

    def tell(self) -> None:
        """Say it, and end the program if not all is well."""
        for line in self.lines:
            say(line, err=True)
        if self.code:
            raise typer.Exit(self.code)


def one_by_one(
    pairs: Sequence[Pair],
    work: Callable[[Pair, Bar], Path | None],
    kept: Callable[[Pair], str],
    *,
    what: str,
    quiet: bool,
    single: bool,
) -> End:
    """Do what is to be done of each pair.

    Args:
        pairs: images and strokes.
        work: returns the mask that it has written, or None where it is there already.
        kept: what is kept of a pair that was stopped.
        what: the pairs are, for people: "stacks".
        quiet: whether to say less.
        single: whether the user gave one file, so that its error is all there is to say.

    Raises:
        InputError: of a single one.
    """
    failed: dict[str, InputError] = {}
    for pair in pairs:
        bar = Bar(1, quiet=quiet)
        try:
            target = work(pair, bar)
        except InputError as error:
            if single:
                raise
            failed[pair.image.name] = error
            continue
        except KeyboardInterrupt:
            bar.close()
            return End(INTERRUPTED, (f"interrupted: {kept(pair)} are kept; run it again",))
        finally:
            bar.close()
        if target is not None and not quiet:
            say(f"{'mask':<14}{target}")
    if not failed:
        return End()
    lines = (f"  {name}: {why}" for name, why in failed.items())
    return End(BAD_INPUT, (f"error: {len(failed)} of {len(pairs)} {what} failed", *lines))


def file_version(path: Path) -> object:
    """What changes with a file; a large one or a folder is not read for that."""
    status = path.stat()
    if path.is_dir() or status.st_size > 100_000_000:
        return [status.st_size, status.st_mtime_ns]
    return digest_of(path)
