"""Routes of images: the list, uploads, pictures for the page."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Query, Response, UploadFile

from saccade.errors import InputError
from saccade.serve.errors import NotFoundError
from saccade.serve.library import Entry
from saccade.serve.pictures import encode_picture, file_for_browser, thumbnail, with_contrast
from saccade.serve.previews import blend
from saccade.serve.routes.replies import Id, errors, file_reply
from saccade.serve.schemas import ImageModel
from saccade.serve.service import Service
from saccade.serve.state import image_model


def add_image_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of images."""

    @router.get("/images", responses=errors())
    async def images() -> list[ImageModel]:
        """List the images in natural order."""
        return await service.background.in_thread(
            lambda: [image_model(service, entry) for entry in service.library.entries()]
        )

    @router.post("/images", status_code=201, responses=errors(413, 415))
    async def upload(file: Annotated[UploadFile, File()]) -> ImageModel:
        """Upload an image."""
        data = await file.read()
        if not data:
            raise InputError("the file is empty, expected an image")
        entry, remarks = await service.background.in_slow_thread(
            service.library.take, file.filename or "", data
        )
        return await service.background.in_thread(image_model, service, entry, remarks)

    @router.get(
        "/images/{image}/file",
        response_class=Response,
        responses=errors(404, 413, 415) | file_reply("image/png", "image/jpeg", "image/webp"),
    )
    async def image_file(
        image: Id,
        black: Annotated[float, Query(ge=0, le=1)] = 0,
        white: Annotated[float, Query(ge=0, le=1)] = 1,
    ) -> Response:
        """Return an image as a browser shows it, upright.

        With `black` or `white` the values at these parts of its range become black and white.
        """
        entry = _known(await service.background.in_thread(service.library.find, image))
        rgb = await service.background.in_slow_thread(service.library.load, entry)
        if (black, white) != (0, 1):
            work = partial(with_contrast, entry, rgb, black, white)
            if entry.slice is not None:
                stacks = service.library.stacks
                work = partial(stacks.with_contrast, entry.path, entry.slice, black, white)
            rgb = await service.background.in_slow_thread(work)
            return Response(encode_picture(rgb, "PNG"), media_type="image/png")
        data, kind = await service.background.in_slow_thread(file_for_browser, entry, rgb)
        return Response(data, media_type=kind)

    @router.get(
        "/images/{image}/thumbnail",
        response_class=Response,
        responses=errors(404, 413, 415) | file_reply("image/jpeg"),
    )
    async def image_thumbnail(image: Id, mask: bool = False) -> Response:
        """Return a small JPEG of an image; with its mask over it, if asked for and there is one."""
        entry = _known(await service.background.in_thread(service.library.find, image))
        over = service.model.previews.get(entry.id) if mask else None
        if mask and (over is None or over.labels is None):
            service.model.ask(entry.id)
        classes = service.folder.project.classes
        data = await service.background.in_thread(
            thumbnail,
            entry,
            service.settings.limits,
            service.library.load,
            over=None if over is None else lambda picture: blend(picture, over, classes),
        )
        return Response(data, media_type="image/jpeg")


def _known(entry: Entry | None) -> Entry:
    if entry is None:
        raise NotFoundError("no such image: it is not, or no longer, in the list")
    return entry
