"""The JSON of the HTTP API and of the live socket."""

import base64
import struct
from typing import Annotated, Any, Literal

import numpy as np
from fastapi.exceptions import RequestValidationError
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FailFast, Field, FiniteFloat, ValidationError

from saccade.data.labelme import decode_png, encode_png
from saccade.errors import InputError, shorten
from saccade.scribbles.document import (
    Line,
    Patch,
    StrokeClass,
    StrokeDocument,
)
from saccade.serve.settings import Limits

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

Point = tuple[FiniteFloat, FiniteFloat]
ClassValue = Annotated[int, Field(ge=0, le=254, strict=True)]
ItemId = Annotated[str, Field(min_length=1, max_length=64)]
Preset = Literal["fast", "best", "paper"]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


class Strict(BaseModel):
    """Refuses what it does not know, so that a misspelt key is not passed over in silence."""

    model_config = ConfigDict(extra="forbid")


class ErrorReply(BaseModel):
    """What went wrong, in one line."""

    detail: str


class Health(BaseModel):
    """The server is there."""

    status: Literal["ok"]
    version: str


class ClassModel(Strict):
    """A class that strokes can have."""

    value: ClassValue
    name: Annotated[str, Field(min_length=1, max_length=100)]
    color: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None


class LineModel(Strict):
    """A stroke of a brush; (0, 0) is the centre of the upper left pixel."""

    id: ItemId
    kind: Literal["line"]
    value: ClassValue
    width: Annotated[float, Field(gt=0, le=2000)]
    points: Annotated[list[Point], Field(min_length=1, max_length=100_000), FailFast()]


class PatchModel(Strict):
    """A stroke given by its pixels: a PNG in base64, not 0 where the stroke is."""

    id: ItemId
    kind: Literal["patch"]
    value: ClassValue
    x: Annotated[int, Field(ge=0, le=10**6)]
    y: Annotated[int, Field(ge=0, le=10**6)]
    png: str


AnyItem = Annotated[LineModel | PatchModel, Field(discriminator="kind")]


class DocumentModel(Strict):
    """The classes of an image and its strokes; later ones are on top."""

    classes: Annotated[list[ClassModel], Field(max_length=255), FailFast()]
    items: Annotated[list[AnyItem], FailFast()]


class ImageModel(BaseModel):
    """An image that can be opened; width and height are 0 where the file cannot be read."""

    id: str
    name: str
    folder: str
    width: int
    height: int
    has_strokes: bool


class NewSession(Strict):
    """Which image to open, and how to segment it."""

    image: Annotated[str, Field(max_length=100)]
    preset: Preset | None = None
    seed: Seed | None = None


class FormatModel(BaseModel):
    """A format that masks can be exported to."""

    name: str
    title: str
    suffix: str


class SessionState(BaseModel):
    """Everything a page needs to go on from here."""

    session: str
    image: ImageModel
    preset: Preset
    presets: list[str]
    seed: int
    revision: int
    document: DocumentModel
    has_mask: bool
    palette: list[str]
    formats: list[FormatModel]
    limits: dict[str, float]


class FitReply(BaseModel):
    """What a fit gave; the mask itself is fetched in the format that is wanted."""

    revision: int
    classes: list[int]
    timings: dict[str, float]
    uncertainty_mean: float


class Accepted(BaseModel):
    """The strokes are kept and the fit goes on by itself."""

    revision: int


class Region(BaseModel):
    """Where a stroke would help: a place (row, column) and a box (top, left, bottom, right)."""

    row: int
    column: int
    box: tuple[int, int, int, int]
    score: float


class StrokesMessage(Strict):
    """All strokes of a page, each time one changes."""

    type: Literal["strokes"]
    revision: Annotated[int, Field(ge=0, le=2**53)]
    document: DocumentModel


class OptionsMessage(Strict):
    """Whatever is given changes."""

    type: Literal["options"]
    preset: Preset | None = None
    seed: Seed | None = None
    uncertainty: bool | None = None


class SuggestMessage(Strict):
    """Asks where to draw next."""

    type: Literal["suggest"]
    n: Annotated[int, Field(ge=1, le=20)] = 3


class PlainMessage(Strict):
    """Stops the fit, or asks whether somebody is there."""

    type: Literal["cancel", "ping"]


class Message(BaseModel):
    """Any message of a page."""

    message: Annotated[
        StrokesMessage | OptionsMessage | SuggestMessage | PlainMessage,
        Field(discriminator="type"),
    ]


def to_document(model: DocumentModel, shape: tuple[int, int], limits: Limits) -> StrokeDocument:
    """Check what a client sent and return it as strokes over an image of (H, W) `shape`.

    Raises:
        InputError: too much, a value or name twice, an unknown class, a patch that is no PNG or
            lies outside of the image.
    """
    points = sum(len(i.points) for i in model.items if isinstance(i, LineModel))
    if len(model.items) > limits.items or points > limits.points:
        raise InputError(
            f"strokes: {len(model.items)} with {points} points, expected at most {limits.items} "
            f"with {limits.points}"
        )
    classes = tuple(StrokeClass(c.value, c.name, c.color) for c in model.classes)
    values, names = {c.value for c in classes}, {c.name for c in classes}
    if min(len(values), len(names)) < len(classes):
        raise InputError("classes: a value or a name stands there twice")
    items: list[Line | Patch] = []
    room = limits.pixels
    for item in model.items:
        if item.value not in values:
            raise InputError(f"stroke '{item.id}' has class {item.value}, which is not listed")
        if isinstance(item, LineModel):
            items.append(Line(item.id, item.value, item.width, tuple(item.points)))
            continue
        height, width = _patch_size(item, shape)
        room -= height * width
        if room < 0:
            raise InputError(f"strokes: their patches have more than {limits.pixels} pixels")
        items.append(Patch(item.id, item.value, item.x, item.y, _patch_mask(item)))
    return StrokeDocument(classes, tuple(items))


def from_document(document: StrokeDocument) -> DocumentModel:
    """Strokes as JSON; what `to_document` would give back."""
    items: list[LineModel | PatchModel] = []
    for item in document.items:
        if isinstance(item, Line):
            points = [(float(x), float(y)) for x, y in item.points]
            items.append(
                LineModel(
                    id=item.id, kind="line", value=item.value, width=item.width, points=points
                )
            )
        else:
            png = encode_png(item.mask)
            items.append(
                PatchModel(id=item.id, kind="patch", value=item.value, x=item.x, y=item.y, png=png)
            )
    classes = [ClassModel(value=c.value, name=c.name, color=c.color) for c in document.classes]
    return DocumentModel(classes=classes, items=items)


def _patch_size(item: PatchModel, shape: tuple[int, int]) -> tuple[int, int]:
    """(h, w) from the PNG's header: nothing large is decoded only to be refused."""
    try:
        header = base64.b64decode(item.png[:32], validate=True)
        magic, width, height = struct.unpack(">8s8xII", header)
    except (ValueError, struct.error) as error:
        raise InputError(f"patch '{item.id}' is no PNG in base64") from error
    if magic != _PNG_MAGIC:
        raise InputError(f"patch '{item.id}' is no PNG in base64")
    if item.y + height > shape[0] or item.x + width > shape[1]:
        raise InputError(f"patch '{item.id}' lies outside of the image")
    return height, width


def _patch_mask(item: PatchModel) -> NDArray[np.bool_]:
    mask = decode_png(item.png, colors=True)
    if not mask.any():
        raise InputError(f"patch '{item.id}' has no pixel set")
    return np.ascontiguousarray(mask)


def validation_message(error: ValidationError | RequestValidationError) -> str:
    """The first of pydantic's errors as one line."""
    if isinstance(error, ValidationError):  # the input itself may be of any length
        errors = error.errors(include_url=False, include_context=False, include_input=False)
    else:
        errors = list(error.errors())
    first: Any = errors[0]
    place = ".".join(str(part) for part in first.get("loc", ()) if part not in ("body", "message"))
    text = str(first.get("msg", "cannot be read"))
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return shorten(f"{place or 'request'}: {text[:1].lower()}{text[1:]}{more}")
