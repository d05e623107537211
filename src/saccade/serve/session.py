"""A session: an open image and its strokes."""

import asyncio
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from saccade.errors import printable
from saccade.interactive import ScribbleSegmenter
from saccade.scribbles.document import StrokeDocument
from saccade.serve.holders import UNKNOWN, Holder
from saccade.serve.library import Entry
from saccade.serve.outgoing import OutgoingMessages
from saccade.serve.results import DisplayedMask
from saccade.serve.stroke_file import StrokeFile

_BYTES_PER_PIXEL = 150
"""What a segmenter holds for a pixel of its working size at most: features, guides, segments."""


@dataclass(eq=False)
class Session:
    """An open image. Fields belong to the event loop, but for `segmenter`, which is a worker's.

    Attributes:
        entry: the image.
        size: (H, W).
        document: the current strokes.
        stroke_file: the file in which they are saved.
        version: numbers of the image's file that change when it is replaced.
        digest: tells what was in that file.
        image_remarks: how the image was read.
        stroke_remarks: how the strokes were read, or those that were imported last.
        preset: preset of the segmenter.
        seed: seed of the segmenter.
        device: device of the segmenter.
        revision: the page's number for the current strokes.
        mask: the last good mask; None while there is none.
        segmenter: with the features of the image; None until they are needed, or after they
            were dropped to free memory.
        segmenter_settings: preset and seed of `segmenter`.
        outgoing: messages for the page that is connected; None while none is.
        holder: who opened it.
        wants_uncertainty: whether the page shows uncertainty.
        newest_request: the future of the newest request for a mask.
        changes: how often the strokes have changed.
        saved_changes: how many of these changes are on disk.
        save_lock: held while the strokes are written.
        refresh_lock: held while the image is read again.
        taking: held while strokes are taken from a request or message: one after the other.
        last_used: when a request for it came last, in seconds of a monotonic clock.
        page_left: when its page went away; None while one is connected or none ever was.
        id: opaque.
        closed: why it is closed; None while it is open.
    """

    entry: Entry
    size: tuple[int, int]
    document: StrokeDocument
    stroke_file: StrokeFile
    version: tuple[int, int, int]
    digest: str
    preset: str
    seed: int
    device: str
    image_remarks: tuple[str, ...] = ()
    stroke_remarks: tuple[str, ...] = ()
    revision: int = 0
    mask: DisplayedMask | None = None
    segmenter: ScribbleSegmenter | None = None
    segmenter_settings: tuple[str, int] | None = None
    outgoing: OutgoingMessages | None = None
    holder: Holder = UNKNOWN
    wants_uncertainty: bool = False
    newest_request: "asyncio.Future[Any] | None" = None
    changes: int = 0
    saved_changes: int = 0
    save_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    refresh_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    taking: asyncio.Lock = field(default_factory=asyncio.Lock)
    last_used: float = field(default_factory=time.monotonic)
    page_left: float | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    closed: str | None = None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of image and strokes, each line with the name of its file."""
        return (*named(self.entry.name, self.image_remarks), *self.stroke_remarks)

    @property
    def stroked_classes(self) -> set[int]:
        """Values of the classes that have a stroke."""
        return {item.value for item in self.document.items}

    @property
    def mask_is_imported(self) -> bool:
        """Whether the mask was read from a file."""
        return self.mask is not None and self.mask.imported

    @property
    def current_mask(self) -> DisplayedMask | None:
        """The mask if it is that of the current strokes, or was imported; else None."""
        mask = self.mask
        if mask is not None and (mask.imported or mask.revision == self.revision):
            return mask
        return None

    @property
    def nbytes(self) -> int:
        """About the memory that could be freed by dropping what can be computed again."""
        total = self.mask.nbytes if self.mask is not None else 0
        if self.segmenter is not None:
            pixels = self.size[0] * self.size[1]
            total += 3 * pixels + min(pixels, self.segmenter.preset.max_pixels) * _BYTES_PER_PIXEL
            total += self.segmenter.history_nbytes
        return total

    def send(self, message: dict[str, Any] | bytes, kind: str = "") -> None:
        """Send to the page, if one is connected; of each kind only the newest waits."""
        if self.outgoing is not None:
            self.outgoing.put(message, kind)


def named(name: str, remarks: Iterable[str]) -> tuple[str, ...]:
    """Remarks with the name of their file before them."""
    return tuple(f"{printable(name)}: {remark}" for remark in remarks)
