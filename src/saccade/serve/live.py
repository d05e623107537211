"""The live socket: strokes in, masks out."""

import asyncio
import contextlib
import json
import time
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from saccade.errors import InputError
from saccade.scribbles.document import StrokeDocument
from saccade.serve.documents import same_strokes, to_document
from saccade.serve.errors import NotFoundError, ServeError, SupersededError
from saccade.serve.holders import OPENED_ELSEWHERE, closed_message
from saccade.serve.json_bodies import INLINE_BYTES, parse_json, stroke_bound
from saccade.serve.messages import Message, OptionsMessage, StrokesMessage, SuggestMessage
from saccade.serve.outgoing import OutgoingMessages
from saccade.serve.pace import Pace
from saccade.serve.results import DisplayedMask, encode_result
from saccade.serve.service import Service
from saccade.serve.session import Session
from saccade.serve.state import session_state
from saccade.serve.worker import NEEDS_STROKES

_LAST_SECONDS = 5.0
"""For what a page had sent when it went; less than a server that stops waits."""
UNKNOWN, TAKEN_OVER, TOO_LARGE, TOO_SLOW = 4404, 4409, 1009, 4408


def live_router(service: Service) -> APIRouter:
    """The WebSocket below ``/api/sessions``."""
    router = APIRouter()

    @router.websocket("/api/sessions/{session}/live")
    async def live(socket: WebSocket, session: str) -> None:
        await socket.accept()
        try:
            found = await service.find_fresh(session)
        except InputError:  # the page is told once something is asked of the image
            found = service.find(session)
        except NotFoundError as error:
            await _end(socket, UNKNOWN, str(error))
            return
        await _serve(socket, service, found)

    return router


async def _serve(socket: WebSocket, service: Service, session: Session) -> None:
    outgoing = OutgoingMessages()
    if session.outgoing is not None:  # the same page again, or a second one
        session.send(closed_message(OPENED_ELSEWHERE, session.holder))
        session.outgoing.close()
    session.outgoing, session.page_left = outgoing, None
    service.on_held(session.entry.id)
    sender = asyncio.create_task(_send(socket, outgoing, service.settings.limits.send_seconds))
    receiver = asyncio.create_task(_receive(socket, service, session, outgoing))
    try:
        await _greet(service, session, outgoing)
        await asyncio.wait({sender, receiver}, return_when=asyncio.FIRST_COMPLETED)
        if not outgoing.closed:  # the page has gone, but what it sent before that counts
            await asyncio.wait({receiver}, timeout=_LAST_SECONDS)
    finally:
        if session.outgoing is outgoing:
            session.outgoing = None
            session.page_left = session.last_used = time.monotonic()
            service.queue.cancel(session.entry.id)
        service.on_held(session.entry.id)
        outgoing.close()
        receiver.cancel()
        sender.cancel()
        await asyncio.gather(sender, receiver, return_exceptions=True)


async def _greet(service: Service, session: Session, outgoing: OutgoingMessages) -> None:
    """The state, and the mask that there is or the fit that makes one."""
    outgoing.put(
        {"type": "state"} | await service.background.in_thread(session_state, service, session)
    )
    outgoing.put(service.model.status(), "folder")
    mask = session.current_mask
    if mask is not None:
        message = await service.background.in_thread(
            encode_result, mask, uncertainty=session.wants_uncertainty
        )
        outgoing.put(message, "result")
    elif session.stroked_classes or service.masks.can_make(session):
        service.masks.start(session)
    else:
        outgoing.put(
            {"type": "waiting", "revision": session.revision, "detail": NEEDS_STROKES}, "result"
        )


async def _send(socket: WebSocket, outgoing: OutgoingMessages, seconds: float) -> None:
    """Send what waits, until it is closed or the page no longer reads."""
    try:
        while (message := await outgoing.next()) is not None:
            send = socket.send_bytes if isinstance(message, bytes) else socket.send_text
            async with asyncio.timeout(seconds):
                await send(message)  # type: ignore[arg-type]
        await _end(socket, TAKEN_OVER, "")
    except TimeoutError:
        await _end(socket, TOO_SLOW, "the page does not read what it is sent")
    except (WebSocketDisconnect, RuntimeError, OSError):
        pass  # it is gone


async def _receive(
    socket: WebSocket, service: Service, session: Session, outgoing: OutgoingMessages
) -> None:
    limit, pace = service.settings.limits.message_bytes, Pace()
    while session.closed is None:
        await pace.wait()
        try:
            data = await socket.receive()
        except RuntimeError:  # it is gone already
            return
        if data["type"] == "websocket.disconnect":
            return
        raw = data.get("text") or data.get("bytes") or b""
        if len(raw) > limit:
            await _end(socket, TOO_LARGE, "the message is too large")
            return
        began = time.monotonic()
        try:
            service.find(session.id)
            async with session.taking:
                await _handle(await _parsed(service, raw), service, session, outgoing)
        except (InputError, ServeError) as error:
            outgoing.put(_error(str(error), raw), "refused")
        pace.took(time.monotonic() - began)


async def _parsed(service: Service, raw: str | bytes) -> Any:
    bound = stroke_bound(service.settings.limits)
    if len(raw) < INLINE_BYTES:
        return parse_json(_wrapped(raw), Message, bound).message
    return await service.background.in_thread(
        lambda: parse_json(_wrapped(raw), Message, bound).message
    )


def _wrapped(raw: str | bytes) -> bytes:
    data = raw.encode("utf-8", "replace") if isinstance(raw, str) else raw
    return b'{"message":' + data + b"}"


async def _handle(
    message: Any, service: Service, session: Session, outgoing: OutgoingMessages
) -> None:
    if isinstance(message, StrokesMessage):
        limits = service.settings.limits
        # A running fit is out of date now, whatever comes of this message.
        service.queue.cancel(session.entry.id)
        await service.find_fresh(session.id)
        document = await service.background.in_thread(
            to_document, message.document, session.size, limits
        )
        mask, before = session.current_mask, session.document
        service.put_strokes(session, document, message.revision, whole=message.whole)
        if set(document.classes) != set(session.document.classes):
            classes = [c.model_dump() for c in service.folder.class_models()]
            outgoing.put({"type": "classes", "classes": classes}, "classes")
        if mask is None or not _keep_mask(session, mask, before):
            service.masks.start(session)
    elif isinstance(message, OptionsMessage):
        await _set_options(message, service, session, outgoing)
    elif isinstance(message, SuggestMessage):
        service.background.start(_suggest(message.n, service, session, outgoing))
    elif message.type == "cancel":
        service.queue.cancel(session.entry.id)
    else:
        outgoing.put({"type": "pong"}, "pong")


def _keep_mask(session: Session, mask: DisplayedMask, before: StrokeDocument) -> bool:
    """Show an earlier mask again if no stroke has changed since; return whether that is so."""
    if mask.imported or not same_strokes(before, session.document):
        return False
    session.mask = replace(mask, revision=session.revision)
    session.send(encode_result(session.mask, uncertainty=session.wants_uncertainty), "result")
    return True


async def _set_options(
    message: OptionsMessage, service: Service, session: Session, outgoing: OutgoingMessages
) -> None:
    before = (session.preset, session.seed)
    session.preset = message.preset or session.preset
    session.seed = session.seed if message.seed is None else message.seed
    if message.uncertainty is not None:
        session.wants_uncertainty = message.uncertainty
    if (session.preset, session.seed) != before:
        session.mask = None
        service.masks.start(session)
    elif message.uncertainty and session.mask is not None:
        mask = session.mask
        outgoing.put(
            await service.background.in_thread(encode_result, mask, uncertainty=True), "result"
        )


async def _suggest(
    count: int, service: Service, session: Session, outgoing: OutgoingMessages
) -> None:
    revision = session.revision
    try:
        regions = await service.masks.suggest(session, count)
    except SupersededError:
        return
    except (InputError, ServeError) as error:
        outgoing.put({"type": "error", "revision": revision, "detail": str(error)})
    else:
        outgoing.put({"type": "suggestions", "revision": revision, "regions": regions}, "suggest")


def _error(detail: str, raw: str | bytes) -> dict[str, Any]:
    """An error message; the revision is the one in what was sent, if it can be found."""
    revision = None
    if len(raw) < INLINE_BYTES:
        with contextlib.suppress(ValueError, AttributeError, RecursionError):
            revision = json.loads(raw).get("revision")
    return {
        "type": "error",
        "revision": revision if isinstance(revision, int) else None,
        "detail": detail,
    }


async def _end(socket: WebSocket, code: int, reason: str) -> None:
    with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
        await socket.close(code, reason[:100])
