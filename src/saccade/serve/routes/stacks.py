"""Routes of stacks: the masks of all their slices."""

from fastapi import APIRouter, Response

from saccade.serve.routes.masks import attachment
from saccade.serve.routes.replies import Id, errors, file_reply
from saccade.serve.schemas import StackModel
from saccade.serve.service import Service
from saccade.serve.stack_masks import StackMasks


def add_stack_routes(router: APIRouter, service: Service) -> None:
    """Add the routes of stacks; a stack is named by any of its slices."""
    stacks = StackMasks(service)

    @router.post("/images/{image}/stack", status_code=202, responses=errors(404, 409))
    async def segment_all(image: Id) -> StackModel:
        """Begin to segment all slices from the strokes on some of them."""
        await service.folder.load()
        return (await stacks.start(image)).reply()

    @router.get("/images/{image}/stack", responses=errors(404))
    async def stack_state(image: Id) -> StackModel:
        """Say how far it is."""
        return stacks.job(await stacks.entry(image)).reply()

    @router.get(
        "/images/{image}/stack/file",
        response_class=Response,
        responses=errors(404, 409) | file_reply("image/tiff"),
    )
    async def stack_file(image: Id) -> Response:
        """Return the masks of all slices in the container of the stack."""
        entry = await stacks.entry(image)
        job = stacks.job(entry)
        documents = {s.entry.id: s.document for s in service.sessions.values()}
        data = await service.background.in_slow_thread(stacks.file, job, documents)
        return attachment(data, "image/tiff", f"{entry.path.stem}.masks.tif")
