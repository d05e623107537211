"""The JSON of the HTTP API; what pages send to the live socket is in `messages`."""

from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, FailFast, Field, FiniteFloat, ValidationError

from saccade.errors import shorten

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


class Ready(BaseModel):
    """The server can make masks now."""

    status: Literal["ready"]


class ClassModel(Strict):
    """A class that strokes can have."""

    value: ClassValue
    name: Annotated[str, Field(min_length=1, max_length=100)]
    color: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = None


class LineModel(Strict):
    """A stroke of a brush; (0, 0) is the centre of the upper left pixel.

    `pinned`: no stroke, but pixels of the mask that keep this class whatever is fitted.
    """

    id: ItemId
    kind: Literal["line"]
    value: ClassValue
    width: Annotated[float, Field(gt=0, le=2000)]
    points: Annotated[list[Point], Field(min_length=1, max_length=100_000), FailFast()]
    pinned: bool = False


class PatchModel(Strict):
    """A stroke given by its pixels: a PNG in base64, not 0 where the stroke is.

    `pinned`: no stroke, but pixels of the mask that keep this class whatever is fitted.
    """

    id: ItemId
    kind: Literal["patch"]
    value: ClassValue
    x: Annotated[int, Field(ge=0, le=10**6)]
    y: Annotated[int, Field(ge=0, le=10**6)]
    png: str
    pinned: bool = False


AnyItem = Annotated[LineModel | PatchModel, Field(discriminator="kind")]


class PinModel(Strict):
    """A pin as a stroke file keeps it; `above`: how many strokes lie below it."""

    above: Annotated[int, Field(ge=0)]
    item: AnyItem


class DocumentModel(Strict):
    """The classes of an image and its strokes; later ones are on top."""

    classes: Annotated[list[ClassModel], Field(max_length=255), FailFast()]
    items: Annotated[list[AnyItem], FailFast()]


class ImportedModel(DocumentModel):
    """Strokes after an import, and one line for each thing that was assumed, converted or left out.

    It can be sent back as strokes as it is.
    """

    remarks: Annotated[list[str], FailFast()] = []


class HolderModel(BaseModel):
    """Who has an image open: a window of a browser on a system, "" where it is not known.

    `address` is "" for the computer that the server runs on.
    """

    window: str
    browser: str
    system: str
    address: str


class SliceModel(BaseModel):
    """Which slice of a stack an image is, from 1; `stack` is the id of the first."""

    stack: str
    number: int
    count: int


class ImageModel(BaseModel):
    """An image that can be opened; width and height are 0 where the file cannot be read.

    `remarks` says how an image was read: there once it was opened, or uploaded. `mask` counts its
    masks, and `uncertainty` is that of the last one by the area of all but its largest class: there
    once one was made. `sure`: it needs no look. `problem`: why none can be made.
    `holder`: whose page has it open. `unlike`: it has no strokes and looks like none of the images
    with strokes.
    """

    id: str
    name: str
    folder: str
    width: int
    height: int
    has_strokes: bool
    remarks: list[str] = []
    status: Literal["empty", "strokes", "done"] = "empty"
    mask: int = 0
    uncertainty: float | None = None
    sure: bool = False
    problem: str = ""
    holder: HolderModel | None = None
    slice: SliceModel | None = None
    unlike: bool = False


class ImageOptions(Strict):
    """Whatever is given changes."""

    done: bool | None = None


class ClassesModel(Strict):
    """The classes of a folder."""

    classes: Annotated[list[ClassModel], Field(min_length=1, max_length=255), FailFast()]


class FolderOptions(Strict):
    """Whatever is given changes.

    `shared`: whether strokes on one image count for the others. `connected`: whether a class is
    only where it is connected to a stroke of it.
    """

    shared: bool | None = None
    connected: bool | None = None


class FolderModel(BaseModel):
    """A folder and the model that is fitted to its strokes.

    `images`: on how many the strokes are that the model was fitted to; 0 where there is no model.
    `fitting`: a better one is on its way. `problem`: why there is none. `network`: the file of the
    trained network that makes the masks instead; "" for none.
    """

    images: int
    network: str = ""
    fitting: bool
    shared: bool
    connected: bool = False
    problem: str
    remarks: list[str]


class ExportModel(BaseModel):
    """An export: how many of its images are done, and what could not be written."""

    export: str
    state: Literal["running", "done", "failed"]
    done: int
    total: int
    detail: str
    remarks: list[str]


class StackModel(BaseModel):
    """The masks of all slices of a stack; `objects` counts them, through the slices."""

    stack: str
    state: Literal["running", "done", "failed"]
    fraction: float
    detail: str
    objects: int | None
    remarks: list[str]


class NewSession(Strict):
    """Which image to open, and how to segment it; `window`: what a page calls itself."""

    image: Annotated[str, Field(max_length=100)]
    preset: Preset | None = None
    seed: Seed | None = None
    window: Annotated[str, Field(max_length=40)] = ""


class FormatModel(BaseModel):
    """A format that masks can be exported to."""

    name: str
    title: str
    suffix: str


class SessionState(BaseModel):
    """Everything a page needs to go on from here.

    `remarks` has one line for each thing that was assumed, converted or left out of the image and
    of its strokes, each with the name of its file.
    """

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
    remarks: list[str]


class FitReply(BaseModel):
    """What a fit gave; the mask itself is fetched in the format that is wanted.

    `provisional` has the class that nobody drew and that was assumed to be everything else, while
    one class alone is drawn.
    """

    revision: int
    classes: list[int]
    timings: dict[str, float]
    uncertainty_mean: float
    remarks: list[str] = []
    provisional: list[int] = []


class Accepted(BaseModel):
    """The strokes are kept and the fit goes on by itself."""

    revision: int


class Region(BaseModel):
    """Where a stroke would help: a place (row, column) and a box (top, left, bottom, right)."""

    row: int
    column: int
    box: tuple[int, int, int, int]
    score: float


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
    if text == "JSON decode error":  # FastAPI's place is that in the text
        return f"request: invalid JSON at character {place or 0}"
    return shorten(f"{place or 'request'}: {text[:1].lower()}{text[1:]}{more}")
