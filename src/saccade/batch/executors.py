"""Where the items of a batch are worked on: what an executor promises, and the simplest one."""

import errno
from collections.abc import Callable, Generator, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

from saccade.errors import message_of

Item = TypeVar("Item", bound=Hashable)
Record = TypeVar("Record")

Report: TypeAlias = Callable[[float, str], None]
"""Told what fraction of an item is done, in [0, 1], and what is being done."""

Worker: TypeAlias = Callable[[Item, Report], Record]
"""Does one item: reads its inputs, writes its results, returns a record of what it did."""

Setup: TypeAlias = Callable[[], Worker[Item, Record]]
"""Makes a worker, once in each process; can be pickled if the work is to leave this process."""

_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""A full disk, a full quota, a disk that cannot be written to: no other item will fare better."""


@dataclass(frozen=True)
class Failure:
    """Why an item is not done.

    Attributes:
        message: one line for the user.
        fatal: the error, if no other item would fare better.
    """

    message: str
    fatal: OSError | None = None


def failure_of(error: Exception) -> Failure:
    """What to keep of an exception that a worker raised."""
    fatal = isinstance(error, OSError) and error.errno in _FATAL
    return Failure(message_of(error), error if fatal and isinstance(error, OSError) else None)


class Executor(Protocol):
    """Works on items, in any order, one after another or side by side."""

    def run(
        self,
        setup: Setup[Item, Record],
        items: Iterator[Item],
        count: int,
        report: Callable[[Item, float, str], None],
    ) -> Generator[tuple[Item, Record | Failure], None, None]:
        """Give each item with its record, or with why it failed, as soon as it is finished.

        Whoever closes the generator ends all work at once; results are whole or not there.

        Args:
            setup: makes the worker.
            items: to be taken when there is room to work on one, not before.
            count: how many items there are at most.
            report: told of the progress within an item; an executor need not call it.

        Raises:
            InputError: what `setup` raises.
        """
        ...


@dataclass(frozen=True)
class InThisProcess:
    """Works on one item after another, here; nothing needs to be pickled."""

    def run(
        self,
        setup: Setup[Item, Record],
        items: Iterator[Item],
        count: int,
        report: Callable[[Item, float, str], None],
    ) -> Generator[tuple[Item, Record | Failure], None, None]:
        """See `Executor.run`."""
        work = setup()
        for item in items:
            result: Record | Failure
            try:
                result = work(item, partial(report, item))
            except Exception as error:
                result = failure_of(error)
            yield item, result
