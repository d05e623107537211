"""The HTTP API: images, sessions, strokes, masks."""

from fastapi import APIRouter

from saccade.serve.routes.folder import add_folder_routes
from saccade.serve.routes.health import add_health_routes
from saccade.serve.routes.images import add_image_routes
from saccade.serve.routes.masks import add_mask_routes
from saccade.serve.routes.sessions import add_session_routes
from saccade.serve.routes.stacks import add_stack_routes
from saccade.serve.routes.strokes import add_stroke_routes
from saccade.serve.service import Service


def api_router(service: Service) -> APIRouter:
    """All routes below ``/api`` but the live socket."""
    router = APIRouter(prefix="/api")
    add_health_routes(router, service)
    add_image_routes(router, service)
    add_session_routes(router, service)
    add_stroke_routes(router, service)
    add_mask_routes(router, service)
    add_folder_routes(router, service)
    add_stack_routes(router, service)
    return router
