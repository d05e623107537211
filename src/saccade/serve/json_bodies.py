"""JSON of clients: its size and its number of values are checked before it is parsed.

Parsing holds the interpreter, on a thread as well, so that nobody else is answered meanwhile; what
is let through takes a fraction of a second.
"""

from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from saccade.errors import InputError
from saccade.serve.background import Background
from saccade.serve.schemas import validation_message
from saccade.serve.settings import Limits

INLINE_BYTES = 32_768
"""Less is parsed at once: a thread would take longer than that."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class JsonBound:
    """The most that one text of JSON may hold.

    Attributes:
        values: numbers, texts and so on.
        containers: lists and objects.
    """

    values: int
    containers: int

    def check(self, text: bytes) -> None:
        """Raise InputError where there is more in a text, which is counted and not parsed."""
        values = text.count(b",")
        containers = text.count(b"[") + text.count(b"{")
        if values > self.values or containers > self.containers:
            raise InputError(
                f"request: JSON of {values} values in {containers} lists and objects, expected at "
                f"most {self.values} in {self.containers}"
            )


def stroke_bound(limits: Limits) -> JsonBound:
    """What a document with the most strokes and points needs."""
    return JsonBound(
        3 * limits.points + 8 * limits.items + 10_000, limits.points + 2 * limits.items + 1000
    )


STUDIO_BOUND = JsonBound(2_000_000, 100_000)
"""Label Studio sends run lengths of brushes as lists of numbers."""


def parse_json(text: bytes, model: type[Model], bound: JsonBound) -> Model:
    """JSON as a model.

    Raises:
        InputError: it is too much, no JSON, or something else than the model.
    """
    bound.check(text)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise InputError(validation_message(error)) from None


async def read_json_body(
    request: Request, model: type[Model], bound: JsonBound, background: Background
) -> Model:
    """The body of a request as a model, parsed beside the event loop where it is long.

    Raises:
        InputError: what `parse_json` raises.
    """
    body = await request.body()
    if len(body) < INLINE_BYTES:
        return parse_json(body, model, bound)
    return await background.in_thread(parse_json, body, model, bound)


def json_body(model: type[BaseModel]) -> dict[str, object]:
    """How the API's description shows a body that `read_json_body` reads."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": model.model_json_schema()}},
        }
    }
