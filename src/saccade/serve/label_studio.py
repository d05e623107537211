"""A backend for Label Studio: brush pre-labels from the strokes of an annotator.

Label Studio adds ``http://HOST:PORT/label-studio`` as a model; it then asks ``/predict`` for each
task, and with what the annotator drew so far when that is interactive.
"""

import base64
import binascii
import itertools
import os
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from xml.etree import ElementTree as ET

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from saccade import __version__
from saccade.errors import InputError
from saccade.formats.label_studio import brush_result, result_mask
from saccade.images import load_image
from saccade.interactive import Segmentation
from saccade.serve.library import Entry, image_size
from saccade.serve.service import Service

MODEL_VERSION = f"saccade-{__version__}"
KEY_VARIABLE = "LABEL_STUDIO_API_KEY"
_KINDS = ("brushlabels", "keypointlabels", "rectanglelabels", "polygonlabels")
_POINT_SHARE = 0.012  # radius of a point without a size, of the longer side
_SECONDS = 30
UNLABELED = 65_535
_numbers = itertools.count()


class SetupRequest(BaseModel):
    """What Label Studio says when a model is added to a project."""

    project: str | None = None
    label_schema: str | None = Field(default=None, alias="schema")


class PredictRequest(BaseModel):
    """Tasks to label; `params.context.result` is what the annotator drew."""

    tasks: list[dict[str, Any]] = Field(max_length=1000)
    label_config: str | None = None
    params: dict[str, Any] | None = None


class Prediction(BaseModel):
    """Brush labels of one task."""

    model_version: str
    score: float
    result: list[dict[str, Any]]


class PredictReply(BaseModel):
    """One prediction for each task."""

    results: list[Prediction]


def label_studio_router(service: Service) -> APIRouter:
    """The routes of Label Studio's protocol for models, below ``/label-studio``."""
    from saccade.serve.routes import errors

    router = APIRouter(prefix="/label-studio", tags=["Label Studio"])

    @router.get("/", responses=errors())
    @router.get("/health", responses=errors())
    async def health() -> dict[str, str]:
        """Say that the model is there."""
        return {"status": "UP", "model_class": "Saccade"}

    @router.post("/setup", responses=errors(413))
    async def setup(_: SetupRequest) -> dict[str, str]:
        """Take note of a project; nothing has to be prepared for one."""
        return {"model_version": MODEL_VERSION}

    @router.post("/predict", responses=errors(409, 413, 415, 503))
    async def predict(request: PredictRequest) -> PredictReply:
        """Segment each task from the strokes that come with the request."""
        context = (request.params or {}).get("context")
        given = context.get("result") if isinstance(context, dict) else None
        strokes = [r for r in given or [] if isinstance(r, dict)] if given else []
        tag = await service.off_loop(_brush_tag, request.label_config)
        results = [await _predicted(service, task, strokes, tag) for task in request.tasks]
        return PredictReply(results=results)

    @router.post("/webhook", status_code=201, responses=errors(413))
    @router.post("/train", status_code=201, responses=errors(413))
    async def train(_: dict[str, Any]) -> dict[str, str]:
        """Answer that there is nothing to train: each image has its own network."""
        return {"status": "ok"}

    return router


class Tag(BaseModel):
    """What a labelling interface says: names of the tags, the task's key, the labels."""

    from_name: str = "tag"
    to_name: str = "image"
    key: str | None = None
    labels: list[str] = []


async def _predicted(
    service: Service, task: dict[str, Any], strokes: list[dict[str, Any]], tag: Tag
) -> Prediction:
    empty = Prediction(model_version=MODEL_VERSION, score=0.0, result=[])
    if not strokes:
        return empty
    rgb = await service.off_loop(_image_of, service, task, tag)
    labels, names = await service.off_loop(_drawn, strokes, rgb.shape[:2], tag)
    if len(names) < 2:  # nothing to tell it from yet
        return empty
    # A key of its own: of requests that come at once for one task, each gets its answer.
    key = f"label-studio-{next(_numbers)}"
    result = await service.segment_once(key, rgb, labels, UNLABELED)
    return await service.off_loop(_labelled, result, names, tag)


def _labelled(result: Segmentation, names: dict[int, str], tag: Tag) -> Prediction:
    results = []
    for value, name in names.items():
        mask = result.labels == value
        if mask.any() and not _is_background(name):  # the background is what no brush covers
            made = brush_result(mask, name, from_name=tag.from_name, to_name=tag.to_name)
            certainty = 1 - float(result.uncertainty[mask].mean(dtype=np.float64))
            results.append(made | {"score": round(certainty, 4)})
    score = 1 - float(result.uncertainty.mean(dtype=np.float64))
    return Prediction(model_version=MODEL_VERSION, score=round(score, 4), result=results)


def _drawn(
    strokes: list[dict[str, Any]], size: tuple[int, ...], tag: Tag
) -> tuple[NDArray[np.int32], dict[int, str]]:
    """Class values (H, W), `UNLABELED` where nobody drew, and the name of each value."""
    height, width = size
    values: dict[str, int] = {}
    labels = np.full((height, width), UNLABELED, dtype=np.int32)
    for result in strokes:
        name = _label_of(result)
        if name is None:
            continue
        if result.get("is_positive") in (0, False, "0") or _is_background(name):
            name = "background"
        value = values.setdefault(name, 0 if name == "background" else len(values) + 1)
        mask = _pixels(result, height, width)
        labels[mask] = value
    present = set(np.unique(labels).tolist())
    return labels, {v: n for n, v in sorted(values.items(), key=lambda e: e[1]) if v in present}


def _pixels(result: dict[str, Any], height: int, width: int) -> NDArray[np.bool_]:
    value = result.get("value")
    if result.get("type") != "keypointlabels" or not isinstance(value, dict):
        return result_mask(result, height, width)
    try:
        x, y = float(value["x"]) / 100 * width, float(value["y"]) / 100 * height
        radius = float(value.get("width") or 0) / 100 * width
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("a point without x and y in percent") from error
    if not np.isfinite([x, y, radius]).all():
        raise InputError("a point without x and y in percent")
    radius = max(radius, _POINT_SHARE * max(height, width), 1.0)
    rows, columns = np.ogrid[:height, :width]
    return np.asarray((rows + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2 <= radius**2)


def _label_of(result: dict[str, Any]) -> str | None:
    value = result.get("value")
    value = value if isinstance(value, dict) else {}
    for kind in (*_KINDS, "labels"):
        names = value.get(kind)
        if isinstance(names, list) and names and isinstance(names[0], str):
            return str(names[0])
    return None


def _is_background(name: str) -> bool:
    return name.strip("_ ").lower() in ("background", "bg")


def _brush_tag(config: str | None) -> Tag:
    """The BrushLabels tag of a labelling interface, which is XML.

    Raises:
        InputError: it is no XML, or has entities.
    """
    if not config:
        return Tag()
    if re.search(r"<!\s*(ENTITY|DOCTYPE)", config):
        raise InputError("label_config: a document type or entities, expected Label Studio's XML")
    try:
        root = ET.fromstring(config)
    except (ET.ParseError, ValueError) as error:
        raise InputError("label_config: malformed XML") from error
    brush = root.find(".//BrushLabels")
    if brush is None:
        raise InputError("label_config: has no <BrushLabels>, which masks need")
    to_name = brush.get("toName", "image")
    images = [e for e in root.iter("Image") if e.get("name") == to_name]
    key = (images[0].get("value") or "").removeprefix("$") if images else None
    labels = [label.get("value", "") for label in brush.iter("Label")]
    return Tag(from_name=brush.get("name", "tag"), to_name=to_name, key=key or None, labels=labels)


def _image_of(service: Service, task: dict[str, Any], tag: Tag) -> NDArray[np.uint8]:
    """The pixels of a task's image: in the task, among the served images, or of Label Studio.

    Raises:
        InputError: it is none of these, or no image.
    """
    data = task.get("data")
    data = data if isinstance(data, dict) else {}
    address = (
        data.get(tag.key)
        if tag.key
        else next((v for v in data.values() if isinstance(v, str)), None)
    )
    if not isinstance(address, str) or not address:
        raise InputError("task: has no image in its data")
    limits = service.settings.limits
    if address.startswith("data:"):
        return _decoded(_of_data_uri(address), limits.pixels)
    served = _served(service, address)
    if len(served) == 1:
        return service.library.load(served[0])
    studio = service.settings.label_studio_url
    if studio is not None and (url := _within(studio, address)) is not None:
        return _decoded(_fetched(url, limits.upload_bytes), limits.pixels)
    if served:
        first, second = (f"'{Path(e.folder, e.name).as_posix()}'" for e in served[:2])
        raise InputError(
            f"task: image '{address[:100]}' may be {first} or {second}; name it with its folder"
        )
    raise InputError(
        f"task: image '{address[:100]}' is not among the served images; serve its folder, or start "
        "with --label-studio-url"
    )


def _served(service: Service, address: str) -> list[Entry]:
    """The image that an address names among the served ones; several where it may be either."""
    parts = urlsplit(address)
    wanted = parse_qs(parts.query).get("d", [unquote(parts.path)])[0]
    found = service.library.find_named(wanted)
    # An upload has a prefix of its own before the name: 1/0a1b2c3d-photo.jpg.
    name = re.sub(r"^[0-9a-f]{8}-", "", wanted.rpartition("/")[2])
    return found or service.library.find_named(name)


def _within(studio: str, address: str) -> str | None:
    """The full address of an image of Label Studio, or None where it is somebody else's."""
    base = urlsplit(studio)
    parts = urlsplit(address)
    if not parts.scheme and not parts.netloc and address.startswith("/"):
        return f"{base.scheme}://{base.netloc}{address}"
    same = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
    return address if same and parts.scheme in ("http", "https") else None


class _NoRedirects(HTTPRedirectHandler):
    """A redirect could lead to any address that this machine can reach."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse."""
        return


def _fetched(url: str, most: int) -> bytes:
    key = os.environ.get(KEY_VARIABLE)
    headers = {"Authorization": f"Token {key}"} if key else {}
    try:
        with build_opener(_NoRedirects).open(
            Request(url, headers=headers), timeout=_SECONDS
        ) as reply:
            data: bytes = reply.read(most + 1)
    except (URLError, OSError, ValueError) as error:
        raise InputError(f"task: image '{url[:100]}' cannot be fetched ({error})") from error
    if len(data) > most:
        raise InputError(f"task: image '{url[:100]}' is larger than {most // 2**20} MB")
    return data


def _of_data_uri(address: str) -> bytes:
    head, _, body = address.partition(",")
    try:
        if not head.endswith(";base64"):
            raise ValueError
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error) as error:
        raise InputError("task: its image is no base64 data URI") from error


def _decoded(data: bytes, most_pixels: int) -> NDArray[np.uint8]:
    image_size(data, most_pixels, "the task's image")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image"
        path.write_bytes(data)
        try:
            return load_image(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), "the task's image")) from error
