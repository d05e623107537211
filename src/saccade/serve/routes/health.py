"""Routes for whoever watches the server: is it there, can it work."""

from fastapi import APIRouter

from saccade import __version__
from saccade.serve.errors import NotReadyError
from saccade.serve.routes.replies import errors
from saccade.serve.schemas import Health, Ready
from saccade.serve.service import Service


def add_health_routes(router: APIRouter, service: Service) -> None:
    """Add the routes that need no token."""

    @router.get("/health", responses=errors())
    async def health() -> Health:
        """Say that the server is there."""
        return Health(status="ok", version=__version__)

    @router.get("/ready", responses=errors(503))
    async def ready() -> Ready:
        """Say that a mask can be made now: the first fit was done and the queue has room."""
        if not service.masks.is_warm:
            raise NotReadyError("the networks are being loaded; ask again in a moment")
        if not service.queue.has_room:
            raise NotReadyError("too many fits are waiting; ask again in a moment")
        return Ready(status="ready")
