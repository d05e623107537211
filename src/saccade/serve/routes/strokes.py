"""Routes of strokes: get, put, import from files."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, File, Query, Request, Response, UploadFile

from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import read_mask
from saccade.scribbles.document import StrokeDocument, document_from_strokes
from saccade.scribbles.strokes import MaskLikeError, Strokes
from saccade.serve.json_bodies import parse_json, stroke_bound
from saccade.serve.results import DisplayedMask
from saccade.serve.routes.replies import Id, errors
from saccade.serve.schemas import (
    Accepted,
    DocumentModel,
    FitReply,
    from_document,
    to_document,
)
from saccade.serve.service import Service
from saccade.serve.session import Session
from saccade.serve.settings import Limits
from saccade.serve.stroke_file import complete_classes
from saccade.serve.uploads import file_name, read_upload

_DOCUMENT_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DocumentModel"}}},
}


def add_stroke_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of strokes."""

    @router.get("/sessions/{session}/strokes", response_model=DocumentModel, responses=errors(404))
    async def strokes(session: Id) -> Response:
        """Return the strokes of a session."""
        return await service.background.in_thread(strokes_reply, service.find(session).document)

    @router.put(
        "/sessions/{session}/strokes",
        responses=errors(404, 409, 413, 503) | {202: {"model": Accepted}},
        openapi_extra={"requestBody": _DOCUMENT_BODY},
    )
    async def put_strokes(
        session: Id, request: Request, response: Response, wait: bool = True
    ) -> FitReply | Accepted:
        """Take all strokes of a session, keep them, and segment the image."""
        found = service.find(session)
        async with found.taking:  # bodies of one session wait for each other unread
            body = await request.body()
            document = await service.background.in_thread(
                parse_strokes, body, found.size, service.settings.limits
            )
            service.put_strokes(found, document, found.revision + 1)
        if not wait:
            service.masks.start(found)
            response.status_code = 202
            return Accepted(revision=found.revision)
        await service.save(found)
        return _fit_reply(await service.masks.current(found))

    @router.post(
        "/sessions/{session}/import",
        response_model=DocumentModel,
        responses=errors(404, 409, 413),
    )
    async def import_file(
        session: Id,
        file: Annotated[UploadFile, File()],
        kind: Annotated[Literal["strokes", "mask"], Query(alias="as")] = "strokes",
    ) -> Response:
        """Add the strokes of a file, or show its mask until the next fit.

        Any format is taken that Saccade reads: label images, overlays, ScribbleSup, labelme, COCO,
        Label Studio, CVAT.
        """
        found = service.find(session)
        data, name = await file.read(), file_name(file.filename)
        if kind == "mask":
            read = partial(read_upload, data, name, partial(read_mask, shape=found.size))
            await service.masks.show_imported(found, await service.background.in_thread(read))
            document = found.document
        else:
            document = await service.background.in_thread(_with_imported, found, data, name)
            service.put_strokes(found, document, found.revision + 1)
            await service.save(found)
            service.masks.start(found)
        return await service.background.in_thread(strokes_reply, document)


def parse_strokes(body: bytes, size: tuple[int, int], limits: Limits) -> StrokeDocument:
    """Strokes as they were sent; on a thread, as megabytes of them would hold up everybody."""
    return to_document(parse_json(body, DocumentModel, stroke_bound(limits)), size, limits)


def strokes_reply(document: StrokeDocument) -> Response:
    """Strokes as JSON."""
    return Response(from_document(document).model_dump_json(), media_type="application/json")


def _fit_reply(mask: DisplayedMask) -> FitReply:
    uncertainty = mask.uncertainty
    return FitReply(
        revision=mask.revision,
        classes=list(mask.classes),
        timings=mask.timings,
        uncertainty_mean=0.0 if uncertainty is None else float(uncertainty.mean(dtype=np.float64)),
    )


def _with_imported(session: Session, data: bytes, name: str) -> StrokeDocument:
    """The strokes of a session and those of a file; on a thread."""

    def read(path: Path) -> Strokes:
        try:
            return read_any_strokes(path, shape=session.size)
        except MaskLikeError as error:  # the command line has options for it, this has not
            raise InputError(
                f"{path}: not strokes, but regions {error.reason}; import it as a mask (as=mask)"
            ) from error

    strokes = read_upload(data, name, read)
    if max(strokes.classes) > 254:
        raise InputError(f"strokes: class {max(strokes.classes)}, expected at most 254")
    document = session.document
    prefix = f"import-{session.revision}-"
    added = document_from_strokes(strokes, known=document.classes, prefix=prefix)
    return complete_classes(StrokeDocument(added.classes, (*document.items, *added.items)))
