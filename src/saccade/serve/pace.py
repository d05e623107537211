"""How often one page may have something done, so that it does not hold up the others."""

import asyncio
import time

_LEAST_SECONDS = 0.005
_SHARE = 0.5
_AHEAD_SECONDS = 1.0
_LONGEST_WAIT = 1.0  # a server that stops waits for ten seconds


class Pace:
    """Makes whoever sends without a pause wait: it has half of the time at most.

    Who was quiet for a while may have a second's worth at once, so that people never wait. What
    they send meanwhile stays in the socket, which in the end stops the sender.
    """

    def __init__(self) -> None:
        self._free_at = 0.0

    async def wait(self) -> None:
        """Return when the next message may be taken; lets others run first in any case."""
        await asyncio.sleep(max(0.0, self._free_at - time.monotonic()))

    def took(self, seconds: float) -> None:
        """Count a message that took that long."""
        now = time.monotonic()
        earliest = max(self._free_at, now - _AHEAD_SECONDS)
        free_at = earliest + max(seconds, _LEAST_SECONDS) / _SHARE
        self._free_at = min(free_at, now + _LONGEST_WAIT)
