"""The routes of Label Studio's protocol for models."""

import itertools
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Request
from pydantic import BaseModel, FailFast, Field

from saccade import __version__
from saccade.formats.label_studio import brush_result
from saccade.interactive import Segmentation
from saccade.interactive.inputs import ground_class
from saccade.serve.json_bodies import STUDIO_BOUND, json_body, read_json_body
from saccade.serve.label_studio.images import load_task_image
from saccade.serve.label_studio.interface import BrushTag, read_brush_tag
from saccade.serve.label_studio.network import segment_by_network, shared_names
from saccade.serve.label_studio.once import segment_once
from saccade.serve.label_studio.strokes import UNLABELED, is_background, strokes_from_results
from saccade.serve.routes.replies import errors
from saccade.serve.service import Service

MODEL_VERSION = f"saccade-{__version__}"
_numbers = itertools.count()


class SetupRequest(BaseModel):
    """What Label Studio says when a model is added to a project."""

    project: str | None = None
    label_schema: str | None = Field(default=None, alias="schema")


class Notice(BaseModel):
    """What Label Studio says when something has changed; any object will do."""


class PredictRequest(BaseModel):
    """Tasks to label; `params.context.result` is what the annotator drew."""

    tasks: Annotated[list[dict[str, Any]], Field(max_length=1000), FailFast()]
    label_config: str | None = None
    params: dict[str, Any] | None = None


class Prediction(BaseModel):
    """Brush labels of one task, and what of its strokes was left out or drawn differently."""

    model_version: str
    score: float
    result: list[dict[str, Any]]
    remarks: list[str] = []


class PredictReply(BaseModel):
    """One prediction for each task."""

    results: list[Prediction]


def label_studio_router(service: Service) -> APIRouter:
    """The routes of Label Studio's protocol for models, below ``/label-studio``."""
    router = APIRouter(prefix="/label-studio", tags=["Label Studio"])
    notice: Any = {"status_code": 201, "responses": errors(413), "openapi_extra": json_body(Notice)}

    @router.get("/", responses=errors())
    @router.get("/health", responses=errors())
    async def health() -> dict[str, str]:
        """Say that the model is there."""
        return {"status": "UP", "model_class": "Saccade"}

    @router.post("/setup", responses=errors(413), openapi_extra=json_body(SetupRequest))
    async def setup(request: Request) -> dict[str, str]:
        """Take note of a project; nothing has to be prepared for one."""
        await read_json_body(request, SetupRequest, STUDIO_BOUND, service.background)
        return {"model_version": MODEL_VERSION}

    @router.post(
        "/predict",
        responses=errors(409, 413, 415, 503),
        openapi_extra=json_body(PredictRequest),
    )
    async def predict(request: Request) -> PredictReply:
        """Segment each task from the strokes that come with the request, or by the network.

        A server that was started with a trained network answers tasks without strokes too.
        """
        wanted = await read_json_body(request, PredictRequest, STUDIO_BOUND, service.background)
        context = (wanted.params or {}).get("context")
        given = context.get("result") if isinstance(context, dict) else None
        strokes = [r for r in given if isinstance(r, dict)] if isinstance(given, list) else []
        tag = await service.background.in_thread(read_brush_tag, wanted.label_config)
        results = [await _predict(service, task, strokes, tag) for task in wanted.tasks]
        return PredictReply(results=results)

    @router.post("/webhook", **notice)
    @router.post("/train", **notice)
    async def train(request: Request) -> dict[str, str]:
        """Answer that there is nothing to train: each image has its own network."""
        await read_json_body(request, Notice, STUDIO_BOUND, service.background)
        return {"status": "ok"}

    return router


async def _predict(
    service: Service, task: dict[str, Any], strokes: list[dict[str, Any]], tag: BrushTag
) -> Prediction:
    empty = Prediction(model_version=MODEL_VERSION, score=0.0, result=[])
    network = service.model.network
    if not strokes and network is None:
        return empty
    rgb = await service.background.in_thread(load_task_image, service, task, tag)
    size = rgb.shape[0], rgb.shape[1]
    drawn = await service.background.in_thread(strokes_from_results, strokes, size)
    # A key of its own: of requests that come at once for one task, each gets its answer.
    key = f"label-studio-{next(_numbers)}"
    if network is not None:
        result, remarks = await segment_by_network(
            service, key, network, rgb, drawn if strokes else None
        )
        names = shared_names(network, tag.labels)
        made = await service.background.in_thread(_prediction, result, names, tag)
        return made.model_copy(update={"remarks": [*remarks, *result.remarks]})
    names = _with_ground(drawn.names, tag)
    if len(names) < 2:  # nothing to tell it from
        return empty.model_copy(update={"remarks": list(drawn.remarks)})
    result = await segment_once(service, key, rgb, drawn.labels, UNLABELED)
    made = await service.background.in_thread(_prediction, result, names, tag)
    return made.model_copy(update={"remarks": [*drawn.remarks, *result.remarks]})


def _with_ground(names: dict[int, str], tag: BrushTag) -> dict[int, str]:
    """Names of the classes of the mask: where one alone was drawn, that of everything else too.

    That is the background, and for the background the first label of the project.
    """
    if len(names) != 1:
        return names
    (value,) = names
    others = ["background"] if value else [n for n in tag.labels if n and not is_background(n)]
    return names | {ground_class(value, [value]): name for name in others[:1]}


def _prediction(result: Segmentation, names: dict[int, str], tag: BrushTag) -> Prediction:
    results = []
    for value, name in names.items():
        mask = result.labels == value
        if mask.any() and not is_background(name):  # the background is what no brush covers
            made = brush_result(mask, name, from_name=tag.from_name, to_name=tag.to_name)
            certainty = 1 - float(result.uncertainty[mask].mean(dtype=np.float64))
            results.append(made | {"score": round(certainty, 4)})
    score = 1 - float(result.uncertainty.mean(dtype=np.float64))
    return Prediction(model_version=MODEL_VERSION, score=round(score, 4), result=results)
