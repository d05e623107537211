"""Routes of masks: files of the mask, probabilities, uncertainty, suggestions."""

import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Response

from saccade.formats.masks import MASK_FORMATS, encode_mask
from saccade.formats.overlay import render_uncertainty
from saccade.serve.class_colors import colors_of
from saccade.serve.pictures import encode_picture
from saccade.serve.routes.replies import Id, errors, file_reply
from saccade.serve.schemas import Region
from saccade.serve.service import Service
from saccade.serve.session import Session

Format = Literal["png", "tiff", "coco", "coco-polygons", "labelme", "label-studio", "cvat"]


def add_mask_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of masks."""
    types = dict.fromkeys(fmt.media_type for fmt in MASK_FORMATS.values())

    @router.get(
        "/sessions/{session}/mask",
        response_class=Response,
        responses=errors(404, 409, 503) | file_reply(*types),
    )
    async def mask(session: Id, fmt: Annotated[Format, Query(alias="format")] = "png") -> Response:
        """Return the mask in one of the formats."""
        found = await service.find_fresh(session)
        labels = (await service.masks.current(found)).labels
        data = await service.background.in_slow_thread(_encode_mask, found, labels, fmt)
        kind = MASK_FORMATS[fmt]
        return attachment(data, kind.media_type, found.entry.title + kind.suffix)

    @router.get(
        "/sessions/{session}/probabilities",
        response_class=Response,
        responses=errors(404, 409, 503) | file_reply("application/octet-stream"),
    )
    async def probabilities(session: Id) -> Response:
        """Return an .npz: 'probabilities', float16 (class, y, x), and 'classes'."""
        found = await service.find_fresh(session)
        values, classes = await service.masks.probabilities(found)
        data = await service.background.in_slow_thread(_encode_probabilities, values, classes)
        name = f"{found.entry.title}.probabilities.npz"
        return attachment(data, "application/octet-stream", name)

    @router.get(
        "/sessions/{session}/uncertainty",
        response_class=Response,
        responses=errors(404, 409, 503) | file_reply("image/png"),
    )
    async def uncertainty(session: Id, style: Literal["grey", "magma"] = "grey") -> Response:
        """Return the mask's uncertainty as a PNG: white or pale is uncertain."""
        values = await service.masks.uncertainty(await service.find_fresh(session))
        data = await service.background.in_slow_thread(_encode_uncertainty, values, style)
        return Response(data, media_type="image/png")

    @router.get("/sessions/{session}/suggestions", responses=errors(404, 409, 503))
    async def suggestions(session: Id, n: Annotated[int, Query(ge=1, le=20)] = 3) -> list[Region]:
        """Say where strokes would help most, best first."""
        found = await service.masks.suggest(await service.find_fresh(session), n)
        return [Region(**region) for region in found]


def _encode_probabilities(values: Any, classes: Sequence[int]) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, probabilities=values, classes=np.asarray(classes, dtype=np.int32))
    return buffer.getvalue()


def _encode_uncertainty(values: Any, style: str) -> bytes:
    values = values.astype(np.float32).clip(0, 1)
    if style == "magma":
        return encode_picture(render_uncertainty(values), "PNG")
    return encode_picture(np.rint(values * 255).astype(np.uint8), "PNG")


def _encode_mask(session: Session, labels: Any, fmt: str) -> bytes:
    classes = session.document.classes
    return encode_mask(
        labels,
        fmt,
        classes=[c.value for c in classes],
        names=session.document.names,
        colors=colors_of(classes),
        image_path=session.entry.name,
    )


def attachment(data: bytes, media_type: str, name: str) -> Response:
    """A file that a browser saves under a name."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    disposition = {"Content-Disposition": f'attachment; filename="{plain}"'}
    return Response(data, media_type=media_type, headers=disposition)
