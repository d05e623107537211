"""Routes of the folder: its classes, its model, what is done, which image next, all masks."""

import copy
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Response

from saccade.scribbles.document import StrokeClass
from saccade.serve.documents import check_classes
from saccade.serve.done_masks import DoneMasks
from saccade.serve.errors import ConflictError, NotFoundError
from saccade.serve.folder_network import FolderNetwork
from saccade.serve.routes.masks import Format, attachment
from saccade.serve.routes.replies import Id, errors, file_reply
from saccade.serve.schemas import (
    ClassesModel,
    ExportModel,
    FolderModel,
    FolderOptions,
    ImageModel,
    ImageOptions,
)
from saccade.serve.service import Service
from saccade.serve.state import image_model


def add_folder_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of the folder."""
    done = DoneMasks(service)

    @router.get("/classes", responses=errors())
    async def classes() -> ClassesModel:
        """Return the classes of the folder."""
        await service.folder.load()
        return ClassesModel(classes=service.folder.class_models())

    @router.put("/classes", responses=errors(409))
    async def put_classes(wanted: ClassesModel) -> ClassesModel:
        """Make these the classes of the folder; those with strokes must be among them."""
        check_classes(wanted.classes)
        await service.folder.load()
        service.folder.put_classes([StrokeClass(c.value, c.name, c.color) for c in wanted.classes])
        await service.folder.save()
        return ClassesModel(classes=service.folder.class_models())

    @router.get("/folder", responses=errors())
    async def folder() -> FolderModel:
        """Return what is known of the folder and of the model fitted to its strokes."""
        await service.folder.load()
        return _folder_reply(service)

    @router.patch("/folder", responses=errors(409))
    async def patch_folder(wanted: FolderOptions) -> FolderModel:
        """Say whether strokes count for other images, and what of a class is in its mask."""
        await service.folder.load()
        if wanted.shared is not None and wanted.shared != service.folder.project.shared:
            service.folder.set_shared(wanted.shared)
            await service.folder.save()
            service.model.strokes_changed()
            service.masks.refresh()
            service.folder.broadcast(service.model.status(), "folder")
        if wanted.connected is not None and wanted.connected != service.folder.project.connected:
            service.folder.set_connected(wanted.connected)
            await service.folder.save()
            service.masks.make_anew()
            service.folder.broadcast(service.model.status(), "folder")
        return _folder_reply(service)

    @router.patch("/images/{image}", responses=errors(404, 409))
    async def patch_image(image: Id, wanted: ImageOptions) -> ImageModel:
        """Call an image done, or not."""
        entry = await service.background.in_thread(service.library.find, image)
        if entry is None:
            raise NotFoundError("no such image: it is not, or no longer, in the list")
        await service.folder.load()
        if wanted.done is not None:
            was = service.folder.is_done(entry)
            service.folder.set_done(entry, wanted.done)
            await service.folder.save()
            if wanted.done:
                await done.keep(entry)
            elif was:
                await done.forget(entry)
        return await service.background.in_thread(image_model, service, entry)

    @router.get("/folder/next", responses=errors())
    async def next_images(n: Annotated[int, Query(ge=1, le=1000)] = 3) -> list[ImageModel]:
        """List images on which strokes would help most: not done, no strokes, the least sure first.

        Images whose masks are not known yet come last.
        """
        await service.folder.load()
        listed = await service.background.in_thread(
            lambda: [image_model(service, entry) for entry in service.library.entries()]
        )
        empty = [one for one in listed if one.status == "empty" and not one.problem]
        doubts = [-1.0 if one.uncertainty is None else one.uncertainty for one in empty]
        order = sorted(range(len(empty)), key=lambda i: -doubts[i])
        return [empty[i] for i in order[:n]]

    @router.get(
        "/folder/model",
        response_class=Response,
        responses=errors(404, 409) | file_reply("application/octet-stream"),
    )
    async def model_file() -> Response:
        """Return the model as a file that `saccade segment --model` takes."""
        await service.folder.load()
        if service.model.fit is None:
            raise ConflictError("there is no model yet: draw on one of several images first")
        if isinstance(service.model.fit, FolderNetwork):
            raise ConflictError("masks are of the trained network, which you have as a file")
        model = copy.copy(service.model.fit.model)  # what workers use stays as it is
        model.names = {c.value: c.name for c in service.folder.project.classes}

        def saved() -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "folder.saccade"
                model.save(path)
                return path.read_bytes()

        data = await service.background.in_slow_thread(saved)
        return attachment(data, "application/octet-stream", "folder.saccade")

    @router.post("/exports", status_code=202, responses=errors(409, 429))
    async def export(fmt: Annotated[Format, Query(alias="format")] = "png") -> ExportModel:
        """Begin to write the masks of all images that have one into a .zip."""
        await service.folder.load()
        return (await service.exports.start(fmt)).reply()

    @router.get("/exports/{export}", responses=errors(404))
    async def export_state(export: Id) -> ExportModel:
        """Say how far an export is."""
        return service.exports.find(export).reply()

    @router.delete("/exports/{export}", status_code=204, responses=errors(404))
    async def stop_export(export: Id) -> None:
        """Stop an export, or remove its file."""
        service.exports.stop(service.exports.find(export))

    @router.get(
        "/exports/{export}/file",
        response_class=Response,
        responses=errors(404, 409) | file_reply("application/zip"),
    )
    async def export_file(export: Id) -> Response:
        """Return the .zip of an export."""
        return service.exports.file_reply(service.exports.find(export))


def _folder_reply(service: Service) -> FolderModel:
    status = service.model.status()
    return FolderModel(
        images=status["images"],
        fitting=status["fitting"],
        shared=status["shared"],
        connected=status["connected"],
        problem=status["problem"],
        network=status["network"],
        remarks=[*service.folder.remarks, *status["remarks"]],
    )
