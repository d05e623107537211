"""What a server measures of itself, for Prometheus: `/metrics`."""

import time
from collections.abc import Callable

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from saccade.serve.routes.replies import errors
from saccade.serve.service import Service

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_ELSEWHERE = "other"
"""The route of addresses that are none: each is not worth a series of its own."""


class Metrics:
    """Counters and gauges of one server, in a registry of their own.

    Args:
        service: what is measured; numbers of it are asked for when they are read, which is done
            in the event loop's thread.
    """

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory and processor time, on Linux alone
        self.requests = Counter(
            "saccade_http_requests",
            "Requests answered, by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.request_seconds = self._histogram(
            "saccade_http_request_seconds", "From a request to the end of its answer.", "route"
        )
        self._fits = Counter(
            "saccade_fits",
            "Requests for masks that left the queue: done, superseded, refused or failed.",
            ("outcome",),
            registry=self.registry,
        )
        self._wait_seconds = self._histogram("saccade_fit_wait_seconds", "In the queue.")
        self._work_seconds = self._histogram("saccade_fit_seconds", "From the queue to the mask.")
        service.queue.on_end = self._fit_ended
        self._add_gauges(service)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=_SECONDS)

    def _fit_ended(self, outcome: str, waited: float, worked: float | None) -> None:
        self._fits.labels(outcome).inc()
        self._wait_seconds.observe(waited)
        if worked is not None:
            self._work_seconds.observe(worked)

    def _add_gauges(self, service: Service) -> None:
        sessions, queue = service.sessions, service.queue
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "saccade_sessions": ("Images that are open.", lambda: len(sessions)),
            "saccade_pages": (
                "Open images with a page that is connected.",
                lambda: sum(s.outgoing is not None for s in sessions.values()),
            ),
            "saccade_unsaved_changes": (
                "Changes of strokes that are not on disk yet.",
                lambda: sum(s.changes - s.saved_changes for s in sessions.values()),
            ),
            "saccade_fits_waiting": ("Requests for masks in the queue.", lambda: queue.waiting),
            "saccade_fits_running": ("Requests for masks at work.", lambda: queue.running),
            "saccade_cache_bytes": (
                "Features and masks of open images that could be dropped.",
                lambda: sum(s.nbytes for s in sessions.values()),
            ),
        }
        for name, (text, number) in gauges.items():
            Gauge(name, text, registry=self.registry).set_function(number)


class Measured:
    """Counts requests and their seconds; sockets, which stay open, are not among them."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request or socket."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", _ELSEWHERE)
            self._metrics.requests.labels(_method(scope), route, status).inc()
            self._metrics.request_seconds.labels(route).observe(time.perf_counter() - began)


def metrics_router(metrics: Metrics) -> APIRouter:
    """The route that Prometheus reads."""
    router = APIRouter()
    content = {"text/plain": {"schema": {"type": "string"}}}

    @router.get(
        "/metrics",
        response_class=Response,
        responses=errors() | {200: {"content": content, "description": "the text format"}},
    )
    async def read() -> Response:
        """Return counters, times and gauges of the server in Prometheus' text format."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


def _method(scope: Scope) -> str:
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return scope["method"] if scope["method"] in known else _ELSEWHERE
