"""What became of a batch, and the one sentence on a batch that was interrupted."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)
Record = TypeVar("Record")


@dataclass
class Outcome(Generic[Item, Record]):
    """What became of each item.

    Attributes:
        items: all of them, in their order.
        done: records of the items that were done now, in the order in which they were finished.
        already: records of the items that were done before.
        failed: items that failed, with the reason on one line.
        interrupted: whether Ctrl-C ended the loop.
        fatal: the error that ended the loop because no other item would have fared better.
        seconds: from start to end, wall time.
    """

    items: Sequence[Item] = ()
    done: dict[Item, Record] = field(default_factory=dict)
    already: dict[Item, Record] = field(default_factory=dict)
    failed: dict[Item, str] = field(default_factory=dict)
    interrupted: bool = False
    fatal: OSError | None = None
    seconds: float = 0.0

    @property
    def records(self) -> dict[Item, Record]:
        """Records of all items that are done, now or before, in the order of the items."""
        found = self.already | self.done
        return {item: found[item] for item in self.items if item in found}

    @property
    def untried(self) -> int:
        """How many items have neither been done nor failed."""
        return len(self.items) - self.finished

    @property
    def finished(self) -> int:
        """How many items are done or have failed."""
        return len(self.already) + len(self.done) + len(self.failed)

    @property
    def interruption(self) -> str:
        """What to tell the user of a batch that was interrupted."""
        return interruption(len(self.already) + len(self.done), len(self.items))


def interruption(done: int, total: int, unit: str = "") -> str:
    """The sentence on work that Ctrl-C ended.

    Example:
        >>> interruption(3, 12)
        'interrupted: 3 of 12 done; the same command goes on from here'
        >>> interruption(40, 200, "steps")
        'interrupted: 40 of 200 steps done; the same command goes on from here'
    """
    counted = f"{total} {unit}" if unit else f"{total}"
    return f"interrupted: {done} of {counted} done; the same command goes on from here"
