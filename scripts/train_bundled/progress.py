"""Lines that say how far a run is, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from scripts.train_bundled.settings import Stage

EVERY = 20.0  # seconds between two lines


@dataclass
class Progress:
    """Counts the steps of all stages; the time left is that of steps of each kind so far.

    Args:
        left: stages that are not done.
        done: steps that a checkpoint has of them.
    """

    left: list[Stage]
    done: Mapping[str, int]
    _times: dict[str, list[float]] = field(default_factory=dict)  # seconds, steps
    _last: float = 0.0
    _step: int = 0
    _told: float = 0.0

    def begin(self) -> None:
        """A stage begins; what was done before its first step is no part of the estimate."""
        self._last = self._told = time.monotonic()
        self._step = self.done.get(self.left[0].name, 0)

    def end(self) -> None:
        """It is done."""
        del self.left[0]

    def report(self, step: int, loss: float) -> None:
        """A step of the first stage that is left is done."""
        now, stage = time.monotonic(), self.left[0]
        seconds, steps = self._times.get(stage.kind, (0.0, 0.0))
        self._times[stage.kind] = [seconds + now - self._last, steps + step - self._step]
        self._last, self._step = now, step
        if now - self._told >= EVERY or step == stage.steps:
            self._told = now
            here, everything = self._seconds(stage, step), self.seconds_left(step)
            print(
                f"{stage.name}: {step}/{stage.steps}, loss {loss:.4f}, {duration(here)} left"
                f" ({duration(everything)} for {len(self.left)} stages)",
                flush=True,
            )

    def seconds_left(self, step: int) -> float:
        """Of all stages, where the first is at ``step``."""
        later = (self._seconds(other, self.done.get(other.name, 0)) for other in self.left[1:])
        return self._seconds(self.left[0], step) + sum(later)

    def _seconds(self, stage: Stage, step: int) -> float:
        """Of the rest of a stage; kinds that were not met yet cost what the present one does."""
        seconds, steps = self._times.get(stage.kind) or self._times[self.left[0].kind]
        return (stage.steps - step) * seconds / max(1.0, steps)


def duration(seconds: float) -> str:
    """As people say it.

    Example:
        >>> duration(3700)
        '1 h 2 min'
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
