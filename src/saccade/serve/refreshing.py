"""What happens to an open image when other pixels are put into its file."""

from saccade.images import ReadImage
from saccade.scribbles.document import fit_to
from saccade.serve.background import Background
from saccade.serve.errors import NotFoundError
from saccade.serve.library import Entry, Library
from saccade.serve.request_queue import RequestQueue
from saccade.serve.session import Session
from saccade.serve.stroke_file import replaced


class Refresher:
    """Reads images, again where their files have changed; of the event loop's thread."""

    def __init__(self, library: Library, queue: RequestQueue, background: Background) -> None:
        self._library, self._queue, self._background = library, queue, background

    async def read(self, entry: Entry) -> tuple[tuple[int, int, int], str, ReadImage]:
        """Version, digest and pixels of an image.

        Raises:
            NotFoundError: its file is gone.
            InputError: it cannot be read.
        """
        return await self._background.in_slow_thread(self._read, entry)

    def _read(self, entry: Entry) -> tuple[tuple[int, int, int], str, ReadImage]:
        try:
            version = self._library.version(entry)
        except OSError as error:
            raise NotFoundError("no such image: its file is gone") from error
        return version, self._library.digest(entry), self._library.read(entry)

    async def refresh(self, session: Session) -> None:
        """Go on with the pixels that the image's file has now: other ones may have been put there.

        Raises:
            InputError: they cannot be read.
        """
        try:
            version = await self._background.in_thread(self._library.version, session.entry)
        except OSError:  # it is gone; what is in memory is still good
            return
        if version == session.version:
            return
        async with session.refresh_lock:
            if version == session.version:
                return
            version, digest, image = await self.read(session.entry)
            if digest != session.digest:
                self._replace(session, image, digest)
            session.version = version

    def _replace(self, session: Session, image: ReadImage, digest: str) -> None:
        before = session.size
        session.size = image.pixels.shape[0], image.pixels.shape[1]
        self._queue.cancel(session.entry.id)
        session.segmenter = session.segmenter_settings = session.mask = None
        session.document = fit_to(session.document, session.size)
        session.digest, session.image_remarks = digest, image.remarks
        session.stroke_file.keep_copy()
        if session.document.items:
            remark = replaced(session.entry.name, before, session.size)
            session.stroke_remarks = (remark,)
        session.send({"type": "replaced"})
