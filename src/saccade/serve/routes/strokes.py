"""Routes of strokes: get, put, import from files."""

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, File, Query, Request, Response, UploadFile

from saccade.errors import InputError
from saccade.scribbles.document import StrokeDocument
from saccade.serve.documents import from_document, to_document, with_imported
from saccade.serve.json_bodies import parse_json, stroke_bound
from saccade.serve.reading import read_import
from saccade.serve.results import DisplayedMask
from saccade.serve.routes.replies import Id, errors
from saccade.serve.schemas import (
    Accepted,
    DocumentModel,
    FitReply,
    ImportedModel,
)
from saccade.serve.service import Service
from saccade.serve.session import Session, named
from saccade.serve.settings import Limits
from saccade.serve.uploads import TEMPORARY, file_name

_ENVELOPE_BYTES = 50_000  # what a message has besides its strokes, and room for some more
_DOCUMENT_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DocumentModel"}}},
}


def add_stroke_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of strokes."""

    @router.get("/sessions/{session}/strokes", response_model=DocumentModel, responses=errors(404))
    async def strokes(session: Id) -> Response:
        """Return the strokes of a session."""
        return await service.background.in_thread(
            strokes_reply, (await service.find_fresh(session)).document
        )

    @router.put(
        "/sessions/{session}/strokes",
        responses=errors(404, 409, 413, 503) | {202: {"model": Accepted}},
        openapi_extra={"requestBody": _DOCUMENT_BODY},
    )
    async def put_strokes(
        session: Id, request: Request, response: Response, wait: bool = True
    ) -> FitReply | Accepted:
        """Take all strokes of a session, keep them, and segment the image."""
        found = await service.find_fresh(session)
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
        response_model=ImportedModel,
        responses=errors(404, 409, 413),
    )
    async def import_file(
        session: Id,
        file: Annotated[UploadFile, File()],
        kind: Annotated[Literal["strokes", "mask"], Query(alias="as")] = "strokes",
    ) -> Response:
        """Add the strokes of a file, or show its mask until the next fit; say how it was read.

        Any format is taken that Saccade reads: label images, overlays, ScribbleSup, labelme, COCO,
        Label Studio, CVAT.
        """
        found = await service.find_fresh(session)
        limits = service.settings.limits
        async with found.taking:
            data, name = await file.read(), file_name(file.filename)
            if kind == "mask":
                mask = await service.background.in_slow_thread(
                    read_import, data, name, "mask", found.size
                )
                remarks = named(name, mask.remarks)
                await service.masks.show_imported(found, mask.labels, remarks)
                document = found.document
            else:
                document, remarks = await service.background.in_slow_thread(
                    _imported, found, data, name, limits
                )
                service.put_strokes(found, document, found.revision + 1)
                await service.save(found)
                service.masks.start(found)
        found.stroke_remarks = remarks
        return await service.background.in_thread(imported_reply, document, remarks)


def parse_strokes(body: bytes, size: tuple[int, int], limits: Limits) -> StrokeDocument:
    """Strokes as they were sent; on a thread, as megabytes of them would hold up everybody."""
    return to_document(parse_json(body, ImportedModel, stroke_bound(limits)), size, limits)


def imported_reply(document: StrokeDocument, remarks: tuple[str, ...]) -> Response:
    """Strokes and remarks as JSON."""
    model = ImportedModel(**dict(from_document(document)), remarks=list(remarks))
    return Response(model.model_dump_json(), media_type="application/json")


def strokes_reply(document: StrokeDocument) -> Response:
    """Strokes as JSON."""
    return Response(from_document(document).model_dump_json(), media_type="application/json")


def _fit_reply(mask: DisplayedMask) -> FitReply:
    uncertainty = mask.uncertainty
    return FitReply(
        revision=mask.revision,
        classes=list(mask.classes),
        timings=mask.timings,
        remarks=list(mask.remarks),
        provisional=list(mask.provisional),
        uncertainty_mean=0.0 if uncertainty is None else float(uncertainty.mean(dtype=np.float64)),
    )


def _imported(
    session: Session, data: bytes, name: str, limits: Limits
) -> tuple[StrokeDocument, tuple[str, ...]]:
    """The strokes of a session with those of a file, and what is to be said of it; on a thread."""
    strokes = read_import(data, name, "strokes", session.size)
    prefix = f"import-{session.changes}-"
    try:
        document = with_imported(session.document, strokes, prefix, limits)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    size = len(from_document(document).model_dump_json())
    if size > limits.message_bytes - _ENVELOPE_BYTES:
        raise InputError(
            f"{name}: with it the strokes are {size / 2**20:.1f} MB, expected at most "
            f"{limits.message_bytes / 2**20:.0f} MB; import it as a mask (as=mask)"
        )
    assumed = (strokes.assumption.replace(TEMPORARY, name),) if strokes.assumption else ()
    return document, (*assumed, *named(name, strokes.remarks))
