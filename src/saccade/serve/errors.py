"""What a request can fail with besides bad input, and the status that says so."""

from saccade.errors import InputError


class ServeError(Exception):
    """A request that cannot be answered; the message is one line for whoever asked."""

    status = 500


class NotFoundError(ServeError):
    """No such image or session."""

    status = 404


class ConflictError(ServeError):
    """Not possible in the state that the session is in."""

    status = 409


class TooManySessionsError(ServeError):
    """Too many sessions are open."""

    status = 429


class QueueFullError(ServeError):
    """More sessions wait for a worker than the queue has places."""

    status = 503


class NotReadyError(ServeError):
    """The server is starting, or has more to do than it can take."""

    status = 503


class SupersededError(Exception):
    """Newer strokes of the same session took the place of a request, or the session is closed."""


class UploadError(InputError):
    """An upload that is refused for its kind or size; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def renamed(error: InputError, path: object, name: str) -> InputError:
    """The error with the name of a file in place of its path on the server."""
    text = error.full.replace(str(path), name)
    return UploadError(text, error.status) if isinstance(error, UploadError) else InputError(text)


def status_of(error: InputError | ServeError) -> int:
    """The HTTP status of an error."""
    status = getattr(error, "status", 422)
    return status if isinstance(status, int) else 422
