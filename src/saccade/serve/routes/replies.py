"""What the routes say of their replies in the API's description."""

from typing import Annotated, Any

from fastapi import Path

from saccade.serve.schemas import ErrorReply

Id = Annotated[str, Path(max_length=100)]
_TEXTS = {
    400: "not a request that can be read",
    401: "the token is missing or wrong",
    403: "another page's or host's request",
    404: "no such image or session",
    409: "not possible in the state that the session is in",
    413: "too large",
    415: "not an image",
    422: "bad input; the detail says what",
    429: "too many sessions are open",
    500: "a fault of the server",
    503: "too many fits wait, or the server is starting",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error replies of a route, for its description."""
    always = (400, 401, 403, 422, 500)
    return {
        status: {"model": ErrorReply, "description": _TEXTS[status]}
        for status in sorted({*always, *statuses})
    }


def file_reply(*types: str) -> dict[int | str, dict[str, Any]]:
    """A reply that is a file of one of some media types."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in types}
    return {200: {"content": content, "description": "the file"}}
