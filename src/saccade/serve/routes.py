"""The HTTP API: images, sessions, strokes, masks."""

import io
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi import Path as InPath
from pydantic import ValidationError

from saccade import __version__
from saccade.annotations import read_any_strokes
from saccade.errors import InputError
from saccade.formats.masks import MASK_FORMATS, encode_mask, read_mask
from saccade.formats.overlay import render_uncertainty
from saccade.scribbles.document import StrokeDocument, document_from_strokes
from saccade.scribbles.strokes import MaskLikeError, Strokes
from saccade.serve.library import browser_file, picture_bytes, thumbnail
from saccade.serve.problems import GoneError
from saccade.serve.schemas import (
    Accepted,
    DocumentModel,
    ErrorReply,
    FitReply,
    Health,
    ImageModel,
    NewSession,
    Region,
    SessionState,
    from_document,
    one_line_of,
    to_document,
)
from saccade.serve.service import Service
from saccade.serve.session import Session
from saccade.serve.settings import Limits
from saccade.serve.state import image_of, state_of
from saccade.serve.stroke_file import completed

_DOCUMENT_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/DocumentModel"}}},
}
T = TypeVar("T")
Id = Annotated[str, InPath(max_length=100)]
Format = Literal["png", "tiff", "coco", "coco-polygons", "labelme", "label-studio", "cvat"]
_TEXTS = {
    400: "not a request that can be read",
    401: "the token is missing or wrong",
    403: "another page's or host's request",
    404: "no such image or session",
    409: "not possible in the state that the session is in",
    413: "too large",
    415: "not an image",
    422: "bad input; the detail says what",
    429: "too many sessions are open",
    500: "a fault of the server",
    503: "too many fits wait",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error replies of a route, for its description."""
    always = (400, 401, 403, 422, 500)
    return {
        status: {"model": ErrorReply, "description": _TEXTS[status]}
        for status in sorted({*always, *statuses})
    }


def file_reply(*types: str) -> dict[int | str, dict[str, Any]]:
    """A reply that is a file of one of some media types."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in types}
    return {200: {"content": content, "description": "the file"}}


def api_router(service: Service) -> APIRouter:
    """All routes below ``/api`` but the live socket."""
    router = APIRouter(prefix="/api")
    _add_images(router, service)
    _add_sessions(router, service)
    _add_strokes(router, service)
    _add_masks(router, service)
    return router


def _add_images(router: APIRouter, service: Service) -> None:
    @router.get("/health", responses=errors())
    async def health() -> Health:
        """Say that the server is there."""
        return Health(status="ok", version=__version__)

    @router.get("/images", responses=errors())
    async def images() -> list[ImageModel]:
        """List the images in natural order."""
        return await service.off_loop(
            lambda: [image_of(service, entry) for entry in service.library.entries()]
        )

    @router.post("/images", status_code=201, responses=errors(413, 415))
    async def upload(file: Annotated[UploadFile, File()]) -> ImageModel:
        """Upload an image."""
        data = await file.read()
        if not data:
            raise InputError("the file is empty, expected an image")
        entry = await service.off_loop(service.library.upload, file.filename or "", data)
        return await service.off_loop(image_of, service, entry)

    @router.get(
        "/images/{image}/file",
        response_class=Response,
        responses=errors(404, 413, 415) | file_reply("image/png", "image/jpeg", "image/webp"),
    )
    async def image_file(image: Id) -> Response:
        """Return an image as a browser shows it, upright."""
        entry = _known(await service.off_loop(service.library.find, image))
        rgb = await service.off_loop(service.library.load, entry)
        data, kind = await service.off_loop(browser_file, entry, rgb)
        return Response(data, media_type=kind)

    @router.get(
        "/images/{image}/thumbnail",
        response_class=Response,
        responses=errors(404, 413, 415) | file_reply("image/jpeg"),
    )
    async def image_thumbnail(image: Id) -> Response:
        """Return a small JPEG of an image."""
        entry = _known(await service.off_loop(service.library.find, image))
        data = await service.off_loop(thumbnail, entry, service.settings.limits.pixels)
        return Response(data, media_type="image/jpeg")


def _add_sessions(router: APIRouter, service: Service) -> None:
    @router.post("/sessions", status_code=201, responses=errors(404, 413, 415, 429))
    async def open_session(wanted: NewSession) -> SessionState:
        """Open an image; a session that has it open already is closed."""
        session = await service.open(wanted.image, wanted.preset, wanted.seed)
        return await _state(service, session)

    @router.get("/sessions/{session}", responses=errors(404))
    async def session_state(session: Id) -> SessionState:
        """Return the state of a session."""
        return await _state(service, service.find(session))

    @router.delete("/sessions/{session}", status_code=204, responses=errors(404, 409))
    async def close_session(session: Id) -> None:
        """Close a session; its strokes are kept."""
        await service.close(service.find(session), "the page closed it")


def _add_strokes(router: APIRouter, service: Service) -> None:
    @router.get("/sessions/{session}/strokes", response_model=DocumentModel, responses=errors(404))
    async def strokes(session: Id) -> Response:
        """Return the strokes of a session."""
        return await service.off_loop(_strokes_reply, service.find(session).document)

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
        body = await request.body()
        made = await service.off_loop(_strokes_of, body, found.size, service.settings.limits)
        service.put_strokes(found, made, found.revision + 1)
        if not wait:
            service.start_fit(found)
            response.status_code = 202
            return Accepted(revision=found.revision)
        await service.save(found)
        shown = await service.mask(found)
        doubt = shown.uncertainty
        return FitReply(
            revision=shown.revision,
            classes=list(shown.classes),
            timings=shown.timings,
            uncertainty_mean=0.0 if doubt is None else float(doubt.mean(dtype=np.float64)),
        )

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
        data = await file.read()
        if kind == "mask":
            read = partial(read_mask, shape=found.size)
            labels = await service.off_loop(_from_file, data, file.filename, read)
            await service.show_mask(found, labels)
            return await service.off_loop(_strokes_reply, found.document)
        added = await service.off_loop(_imported_strokes, data, file.filename, found)
        service.put_strokes(found, added, found.revision + 1)
        await service.save(found)
        service.start_fit(found)
        return await service.off_loop(_strokes_reply, added)


def _add_masks(router: APIRouter, service: Service) -> None:
    types = dict.fromkeys(fmt.media_type for fmt in MASK_FORMATS.values())

    @router.get(
        "/sessions/{session}/mask",
        response_class=Response,
        responses=errors(404, 409, 503) | file_reply(*types),
    )
    async def mask(session: Id, fmt: Annotated[Format, Query(alias="format")] = "png") -> Response:
        """Return the mask in one of the formats."""
        found = service.find(session)
        shown = await service.mask(found)
        data = await service.off_loop(_encoded, found, shown.labels, fmt)
        kind = MASK_FORMATS[fmt]
        return _attachment(data, kind.media_type, found.entry.path.stem + kind.suffix)

    @router.get(
        "/sessions/{session}/probabilities",
        response_class=Response,
        responses=errors(404, 409, 503) | file_reply("application/octet-stream"),
    )
    async def probabilities(session: Id) -> Response:
        """Return an .npz: 'probabilities', float16 (class, y, x), and 'classes'."""
        found = service.find(session)
        values, classes = await service.probabilities(found)

        def encode() -> bytes:
            buffer = io.BytesIO()
            np.savez_compressed(
                buffer, probabilities=values, classes=np.asarray(classes, dtype=np.int32)
            )
            return buffer.getvalue()

        data = await service.off_loop(encode)
        name = f"{found.entry.path.stem}.probabilities.npz"
        return _attachment(data, "application/octet-stream", name)

    @router.get(
        "/sessions/{session}/uncertainty",
        response_class=Response,
        responses=errors(404, 409, 503) | file_reply("image/png"),
    )
    async def uncertainty(session: Id, style: Literal["grey", "magma"] = "grey") -> Response:
        """Return where the mask is in doubt, as a PNG: white or pale is uncertain."""
        doubt = await service.uncertainty(service.find(session))

        def encode() -> bytes:
            values = doubt.astype(np.float32).clip(0, 1)
            picture = render_uncertainty(values) if style == "magma" else _grey(values)
            return picture_bytes(picture, "PNG")

        return Response(await service.off_loop(encode), media_type="image/png")

    @router.get("/sessions/{session}/suggestions", responses=errors(404, 409, 503))
    async def suggestions(session: Id, n: Annotated[int, Query(ge=1, le=20)] = 3) -> list[Region]:
        """Say where strokes would help most, best first."""
        found = await service.suggest(service.find(session), n)
        return [Region(**region) for region in found]


def _known(entry: T | None) -> T:
    if entry is None:
        raise GoneError("no such image: it is not, or no longer, in the list")
    return entry


async def _state(service: Service, session: Session) -> SessionState:
    return SessionState(**await service.off_loop(state_of, service, session))


def _strokes_of(body: bytes, size: tuple[int, int], limits: Limits) -> StrokeDocument:
    """Strokes as they were sent; megabytes of them would hold up everybody on the event loop."""
    try:
        model = DocumentModel.model_validate_json(body)
    except ValidationError as error:
        raise InputError(one_line_of(list(error.errors()))) from error
    return to_document(model, size, limits)


def _strokes_reply(document: StrokeDocument) -> Response:
    return Response(from_document(document).model_dump_json(), media_type="application/json")


def _grey(values: Any) -> Any:
    return np.rint(values * 255).astype(np.uint8)


def _encoded(session: Session, labels: Any, fmt: str) -> bytes:
    classes = session.document.classes
    return encode_mask(
        labels,
        fmt,
        classes=[c.value for c in classes],
        names=session.document.names,
        image_path=session.entry.name,
    )


def _attachment(data: bytes, media_type: str, name: str) -> Response:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    disposition = {"Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(data, media_type=media_type, headers=disposition)


def _from_file(data: bytes, name: str | None, read: Callable[[Path], T]) -> T:
    """Read an uploaded file with something that reads paths; messages name the file as sent."""
    shown = (name or "file").replace("\\", "/").rpartition("/")[2] or "file"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(data)
        try:
            return read(path)
        except InputError as error:
            raise InputError(
                str(error).replace(str(path), shown).replace("upload", shown)
            ) from error


def _imported_strokes(data: bytes, name: str | None, session: Session) -> StrokeDocument:
    def read(path: Path) -> Strokes:
        try:
            return read_any_strokes(path, shape=session.size)
        except MaskLikeError as error:  # the command line has options for it, this has not
            raise InputError(
                f"{path}: not strokes, but regions {error.reason}; import it as a mask (as=mask)"
            ) from error

    strokes = _from_file(data, name, read)
    if max(strokes.classes) > 254:
        raise InputError(f"strokes: class {max(strokes.classes)}, expected at most 254")
    document = session.document
    prefix = f"import-{session.revision}-"
    added = document_from_strokes(strokes, known=document.classes, prefix=prefix)
    return completed(StrokeDocument(added.classes, (*document.items, *added.items)))
