"""The loop over the items of a batch."""

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import closing
from typing import TypeVar

from saccade.batch.executors import Executor, Failure, InThisProcess, Setup, failure_of
from saccade.batch.outcome import Outcome

Item = TypeVar("Item", bound=Hashable)
Record = TypeVar("Record")


def run_batch(
    items: Sequence[Item],
    setup: Setup[Item, Record],
    *,
    already: Callable[[Item], Record | None] = lambda item: None,
    check: Callable[[Item], None] = lambda item: None,
    executor: Executor | None = None,
    name: Callable[[Item], str] = str,
    progress: Callable[[float, str], None] = lambda done, text: None,
    on_record: Callable[[Item, Record], None] = lambda item, record: None,
) -> Outcome[Item, Record]:
    """Do the items that are not done; one that fails is noted, Ctrl-C keeps what is done.

    A full disk ends the loop, as no other item would fare better (`Outcome.fatal`).

    Args:
        items: what is to be done, all different, in this order if one is done after another.
        setup: makes the worker; called only if there is something to do.
        already: the record of an item that need not be done again, else None.
        check: called in this process and in the order of the items, each before work on it
            begins; what it raises is why the item failed.
        executor: where the work is done; None for this process.
        name: of an item, for people.
        progress: told how many items are finished, those done before included, and the name of
            the last one. Within an item the number has a fraction.
        on_record: told of each item that is done now, in this process.

    Returns:
        What became of each item.

    Raises:
        InputError: whatever `setup` raises.

    Example:
        >>> def make_worker():
        ...     return lambda number, report: 10 // number
        >>> outcome = run_batch([1, 0, 5], make_worker)
        >>> outcome.done, outcome.failed
        ({1: 10, 5: 2}, {0: 'unexpected ZeroDivisionError: integer division or modulo by zero'})
    """
    outcome: Outcome[Item, Record] = Outcome(items)
    start = time.perf_counter()

    def finish(item: Item, result: Record | Failure) -> None:
        if isinstance(result, Failure):
            outcome.failed[item] = result.message
            outcome.fatal = result.fatal
        else:
            outcome.done[item] = result
            on_record(item, result)
        progress(outcome.finished, name(item))

    def checked(left: Sequence[Item]) -> Iterator[Item]:
        for item in left:
            try:
                check(item)
            except Exception as error:
                finish(item, failure_of(error))
            else:
                yield item

    def report(item: Item, fraction: float, stage: str) -> None:
        progress(outcome.finished + fraction, f"{name(item)}: {stage}")

    try:
        for item in items:
            if (known := already(item)) is not None:
                outcome.already[item] = known
        left = [item for item in items if item not in outcome.already]
        if left:
            work = (executor or InThisProcess()).run(setup, checked(left), len(left), report)
            with closing(work):
                for item, result in work:
                    finish(item, result)
                    if outcome.fatal is not None:
                        break
    except KeyboardInterrupt:
        outcome.interrupted = True
    outcome.seconds = time.perf_counter() - start
    return outcome
