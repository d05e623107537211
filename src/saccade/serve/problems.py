"""What a request can fail with besides bad input, and the status that says so."""

from saccade.errors import InputError


class ServeError(Exception):
    """A request that cannot be answered; the message is one line for whoever asked."""

    status = 500


class GoneError(ServeError):
    """No such image or session."""

    status = 404


class ConflictError(ServeError):
    """Not possible in the state that the session is in."""

    status = 409


class TooManyError(ServeError):
    """Too many sessions are open."""

    status = 429


class BusyError(ServeError):
    """Too many fits wait."""

    status = 503


def status_of(error: InputError | ServeError) -> int:
    """The HTTP status of an error."""
    status = getattr(error, "status", 422)
    return status if isinstance(status, int) else 422
