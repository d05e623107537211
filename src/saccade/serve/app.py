"""The application: routes, live socket, page, and what happens at start and end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from importlib.resources import files

import torch
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from saccade import __version__
from saccade.errors import InputError
from saccade.serve.announcing import Announcer
from saccade.serve.errors import ServeError, SupersededError, status_of
from saccade.serve.guard import Guard
from saccade.serve.label_studio import label_studio_router
from saccade.serve.live import live_router
from saccade.serve.metrics import Measured, Metrics, metrics_router
from saccade.serve.routes import api_router
from saccade.serve.schemas import validation_message
from saccade.serve.service import Service
from saccade.serve.settings import ServeSettings

_EXPIRY_SECONDS = 5.0
_log = logging.getLogger("saccade.serve")


def create_app(settings: ServeSettings) -> FastAPI:
    """Build the application of one server; ``app.state.service`` is its state.

    Raises:
        InputError: the sample photograph or the folders cannot be used.
    """
    service = Service(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # One thread for each fit: two fits at once on two cores, without waiting for each other.
        torch.set_num_threads(1)
        warm = asyncio.create_task(service.masks.warm_up())
        clock = asyncio.create_task(_expire(service))
        yield
        for task in (warm, clock):
            task.cancel()
        await asyncio.gather(warm, clock, return_exceptions=True)
        await service.stop()

    app = FastAPI(
        title="Saccade",
        version=__version__,
        description="Strokes to masks: the API behind the page.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    Announcer(service)
    metrics = Metrics(service)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Measured, metrics=metrics)  # the last one added is the outermost
    _add_error_handlers(app)
    app.include_router(api_router(service))
    app.include_router(live_router(service))
    app.include_router(label_studio_router(service))
    app.include_router(metrics_router(metrics))
    _add_page(app)
    return app


async def _expire(service: Service) -> None:
    while True:
        await asyncio.sleep(_EXPIRY_SECONDS)
        try:
            await service.expire()
        except ServeError as error:
            _log.error("%s", error)


def _add_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": validation_message(error)}, 422)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"detail": str(error.detail)}, error.status_code, error.headers)

    @app.exception_handler(InputError)
    async def bad_input(_: Request, error: InputError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_of(error))

    @app.exception_handler(ServeError)
    async def not_possible(_: Request, error: ServeError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_of(error))

    @app.exception_handler(SupersededError)
    async def superseded(_: Request, error: SupersededError) -> JSONResponse:
        detail = "newer strokes came, or the server is stopping; ask again"
        return JSONResponse({"detail": detail}, 409)

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"a fault of the server ({type(error).__name__})"}, 500)


def _add_page(app: FastAPI) -> None:
    page = files("saccade.serve") / "page"
    if (page / "index.html").is_file():
        app.mount("/", StaticFiles(directory=str(page), html=True), name="page")
        return

    @app.get("/", include_in_schema=False)
    async def no_page() -> PlainTextResponse:
        return PlainTextResponse("The page is not built: run make page.", 404)
