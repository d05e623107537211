"""What pages send to the live socket, as JSON."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from saccade.serve.schemas import DocumentModel, Preset, Seed, Strict


class StrokesMessage(Strict):
    """All strokes of a page, each time one changes.

    `whole`: the classes are all that the folder has; those that are missing go, unless they have
    strokes on other images.
    """

    type: Literal["strokes"]
    revision: Annotated[int, Field(ge=0, le=2**53, strict=True)]
    document: DocumentModel
    whole: bool = False


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
