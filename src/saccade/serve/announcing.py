"""Tells all pages which images look different in the list now."""

import asyncio

from saccade.serve.schemas import ImageModel
from saccade.serve.service import Service
from saccade.serve.state import image_model

_SECONDS = 0.25


class Announcer:
    """Gathers changes for a moment, as there may be many. It belongs to the event loop's thread."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._changed: set[str] = set()
        service.model.on_preview = service.on_held = self.image_changed

    def image_changed(self, image: str) -> None:
        """Say soon that an image has changed."""
        if not self._changed:
            self._service.background.start(self._tell())
        self._changed.add(image)

    async def _tell(self) -> None:
        await asyncio.sleep(_SECONDS)
        changed, self._changed = self._changed, set()
        listed = await self._service.background.in_thread(self._models, changed)
        images = [one.model_dump(mode="json") for one in listed]
        if images:
            self._service.folder.broadcast({"type": "images", "images": images})

    def _models(self, changed: set[str]) -> list[ImageModel]:
        entries = (self._service.library.find(image) for image in changed)
        return [image_model(self._service, entry) for entry in entries if entry is not None]
