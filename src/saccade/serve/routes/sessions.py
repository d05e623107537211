"""Routes of sessions: open, look at, close."""

from fastapi import APIRouter, Request

from saccade.serve.holders import holder_of
from saccade.serve.routes.replies import Id, errors
from saccade.serve.schemas import NewSession, SessionState
from saccade.serve.service import Service
from saccade.serve.session import Session
from saccade.serve.state import session_state


def add_session_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of sessions."""

    @router.post("/sessions", status_code=201, responses=errors(404, 413, 415, 429))
    async def open_session(wanted: NewSession, request: Request) -> SessionState:
        """Open an image; a session that has it open already is closed."""
        session = await service.open(
            wanted.image, wanted.preset, wanted.seed, holder_of(request, wanted.window)
        )
        return await _state(service, session)

    @router.get("/sessions/{session}", responses=errors(404))
    async def session_state(session: Id) -> SessionState:
        """Return the state of a session."""
        return await _state(service, await service.find_fresh(session))

    @router.delete("/sessions/{session}", status_code=204, responses=errors(404, 409))
    async def close_session(session: Id) -> None:
        """Close a session; its strokes are kept."""
        await service.close(service.find(session), "the page closed it")


async def _state(service: Service, session: Session) -> SessionState:
    return SessionState(**await service.background.in_thread(session_state, service, session))
