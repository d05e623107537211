"""The one exception that means "the input is at fault", and what to tell the user of any."""


class InputError(ValueError):
    """Bad input from the caller.

    The message is one line that names the thing, says what is wrong with it and what would be
    right, so that a command line can print it as it is and a server can answer 4xx with it.
    """


def message_of(error: Exception) -> str:
    """Return what to tell the user, on one line.

    The message of an `InputError` stands as it is; of a failed system call the path and the
    reason; whatever else is a bug or a full memory, and its type helps whoever reads a report.
    """
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return f"unexpected {type(error).__name__}: {text}"
