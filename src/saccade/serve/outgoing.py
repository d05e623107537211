"""Messages that wait to be sent to one page, so that a slow one holds up nobody."""

import asyncio
from collections import OrderedDict
from typing import Any

from saccade.strict_json import json_text


class OutgoingMessages:
    """Messages for one page, the newest of each kind; it belongs to the event loop's thread.

    A page that reads slowly misses progress and masks that newer ones have replaced, and costs no
    more memory than one that reads fast.
    """

    def __init__(self) -> None:
        self._messages: OrderedDict[str, bytes | str] = OrderedDict()
        self._available = asyncio.Event()
        self._count = 0
        self.closed = False

    def put(self, message: dict[str, Any] | bytes, kind: str = "") -> None:
        """Add a message; one of the same ``kind`` that still waits is replaced by it."""
        if self.closed:
            return
        if not kind:
            self._count += 1
            kind = f"#{self._count}"
        self._messages.pop(kind, None)
        self._messages[kind] = (
            message if isinstance(message, bytes) else json_text(message, ensure_ascii=False)
        )
        self._available.set()

    def close(self) -> None:
        """Take no more messages; `next` gives what is left, then None."""
        self.closed = True
        self._available.set()

    async def next(self) -> bytes | str | None:
        """Wait for a message; None once it is closed and empty."""
        while not self._messages:
            if self.closed:
                return None
            self._available.clear()
            await self._available.wait()
        return self._messages.popitem(last=False)[1]
